import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseMounts } from "../instructions/mounts.ts";
import type { Mount, RunInstruction } from "../instructions/types.ts";
import type { FilesOrigin, RunMount } from "./graph-types.ts";
import { joinWorkdir } from "./image-path.ts";
import type { StageContext } from "./stage-context.ts";
import type { VariableList } from "./variables.ts";

const BUILD_CONTEXT: FilesOrigin = { kind: "files", name: "" };
const AGENT_DIRECTORY = "/run/buildkit";
const SECRET_DIRECTORY = "/run/secrets";

/**
 * The mounts of a RUN with all values filled in. `origins` are what their `from=` name, in order.
 * https://docs.docker.com/reference/dockerfile/#run---mount
 */
export function compileMounts(
  instruction: RunInstruction,
  origins: readonly (FilesOrigin | undefined)[],
  context: StageContext,
): readonly RunMount[] {
  if (instruction.mounts.length === 0) return [];
  const mounts = parseMounts(instruction, context.variables, context.options.escape);
  let agents = 0;
  return mounts.map((mount, index) => {
    const from = origins[index];
    if (!("required" in mount)) return fileMount(mount, from, context);
    return mount.type === "ssh" ? sshMount(mount, agents++, context) : secretMount(mount, context);
  });
}

/** The variables as step names show them: what comes from a secret is stars. */
export function withMaskedSecrets(variables: VariableList, mounts: readonly RunMount[]): VariableList {
  return mounts.reduce(
    (list, mount) => (mount.type === "secret" && mount.env !== "" ? list.with(mount.env, "****") : list),
    variables,
  );
}

type MountOf<T extends Mount["type"]> = Extract<Mount, { readonly type: T }>;

function fileMount(
  mount: MountOf<"bind" | "cache" | "tmpfs">,
  from: FilesOrigin | undefined,
  context: StageContext,
): RunMount {
  const target = targetOf(mount.target, context);
  const { readOnly } = mount;
  if (mount.type === "tmpfs") return { type: "tmpfs", target, size: mount.size, readOnly };
  const source = relative(mount.source);
  if (mount.type === "bind") return { type: "bind", target, from: from ?? BUILD_CONTEXT, source, readOnly };
  const { sharing, mode, uid, gid } = mount;
  const id = `${context.options.cacheNamespace}/${mount.id === "" ? defaultId(mount.target) : mount.id}`;
  return { type: "cache", target, id, from, source, readOnly, sharing, mode, uid, gid };
}

/** Of a cache without an id: `/root/.cache/` and `/root/.cache` are one. Go's path.Clean. */
function defaultId(target: string): string {
  return posix.normalize(target).replace(/(.)\/$/, "$1");
}

function secretMount(mount: MountOf<"secret" | "ssh">, context: StageContext): RunMount {
  const id = mount.id === "" ? posix.basename(mount.target) : mount.id;
  const isFile = mount.target !== "" || mount.env === "";
  const target = mount.target === "" ? `${SECRET_DIRECTORY}/${posix.basename(id)}` : targetOf(mount.target, context);
  const { env, required, mode, uid, gid } = mount;
  if (env !== "" && !/^[^=\0]+$/.test(env))
    throw new InvalidParameterError(`invalid secret env name ${JSON.stringify(env)}`);
  return { type: "secret", id, target: isFile ? target : "", env, required, mode, uid, gid };
}

function sshMount(mount: MountOf<"secret" | "ssh">, index: number, context: StageContext): RunMount {
  const target = mount.target === "" ? `${AGENT_DIRECTORY}/ssh_agent.${index}` : targetOf(mount.target, context);
  const { required, mode, uid, gid } = mount;
  return { type: "ssh", id: mount.id === "" ? "default" : mount.id, target, required, mode, uid, gid };
}

function targetOf(target: string, context: StageContext): string {
  const path = joinWorkdir(context.image.workingDir, target);
  if (path === "/") throw new InvalidParameterError(`invalid mount target ${JSON.stringify(path)}`);
  return path;
}

/** Below the root of what is mounted, however many `..` it has. */
function relative(source: string): string {
  return posix.normalize(`/${source}`).replace(/^\/|\/$/g, "");
}
