import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { BuildServices } from "#client/build-session/open-session.ts";
import { errorCode, errorMessage, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";

type Surroundings = Pick<CommandContext, "workingDirectory" | "environment">;

/** As BuildKit's clients. */
const MAX_SECRET = 500 * 1024;

/** Reads `--secret` and `--ssh`. Files are looked at now, so that a wrong path fails before the build. Throws InvalidParameterError, NotFoundError. */
export async function buildServices(
  secrets: readonly string[],
  ssh: readonly string[],
  context: Surroundings,
): Promise<BuildServices> {
  const found: BuildServices = {
    secrets: new Map(await Promise.all(secrets.map((text) => readSecretFlag(text, context)))),
    agents: new Map(await Promise.all(ssh.map((text) => readSshFlag(text, context)))),
  };
  return found;
}

const SECRET_KEYS = ["type", "id", "src", "source", "env"];

/** `id=ID[,src=FILE|,env=NAME]`. https://docs.docker.com/reference/cli/docker/buildx/build/#secret */
async function readSecretFlag(
  text: string,
  context: Surroundings,
): Promise<readonly [string, () => Promise<Uint8Array>]> {
  const fields = new Map<string, string>();
  for (const field of text.split(",")) {
    const equals = field.indexOf("=");
    if (equals < 0) throw new InvalidParameterError(`invalid field "${field}" must be a key=value pair`);
    const key = field.slice(0, equals).toLowerCase();
    if (!SECRET_KEYS.includes(key)) throw new InvalidParameterError(`unexpected key "${key}" in "${field}"`);
    fields.set(key, field.slice(equals + 1));
  }
  const { type = "", id = "", src, source = src, env } = Object.fromEntries(fields);
  if (id === "") throw new InvalidParameterError(`secret missing ID: "${text}"`);
  if (!["", "file", "env"].includes(type)) throw new InvalidParameterError(`unsupported secret type "${type}"`);
  const variable = env ?? (type === "env" ? (source ?? id) : undefined);
  const named = variable ?? (source === undefined && id in context.environment ? id : undefined);
  if (named !== undefined) return [id, async () => Buffer.from(context.environment[named] ?? "")];
  return [id, await secretFile(resolve(context.workingDirectory, source ?? id))];
}

async function secretFile(path: string): Promise<() => Promise<Uint8Array>> {
  try {
    const { size } = await stat(path);
    if (size > MAX_SECRET) throw new InvalidParameterError(`secret ${path} too big. max size 500KB`);
  } catch (cause) {
    if (errorCode(cause) !== "ENOENT") throw cause;
    throw new NotFoundError(`failed to stat ${path}: no such file or directory`, { cause });
  }
  return () => readFile(path);
}

/** `default`, or `ID=SOCKET`. */
async function readSshFlag(text: string, { environment, workingDirectory }: Surroundings): Promise<[string, string]> {
  const equals = text.indexOf("=");
  const [id, given] = equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)];
  if (id === "") throw new InvalidParameterError(`invalid value "${text}" for --ssh: expected default or ID=SOCKET`);
  const path = given ? resolve(workingDirectory, given) : environment["SSH_AUTH_SOCK"];
  if (!path) {
    throw new InvalidParameterError("invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set");
  }
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(path);
  } catch (cause) {
    throw new NotFoundError(`cannot use ${path} as an ssh agent: ${errorMessage(cause)}`, { cause });
  }
  if (!found.isSocket()) {
    throw new InvalidParameterError(
      `cannot use ${path} as an ssh agent: it is no socket; add a key to an agent by ssh-add`,
    );
  }
  return [id, path];
}
