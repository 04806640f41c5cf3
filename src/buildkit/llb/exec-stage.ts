import type { StageSettings } from "#build/graph/stage-settings.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { CDIDevice, ExecOp, Meta, Mount, ProxyEnv } from "#proto/ops_pb.ts";
import type { StageWriter } from "./definition-dockerfile.ts";
import { exactList, isPlainWord, literalWord } from "./dockerfile-words.ts";

export interface ExecStage {
  readonly name: string;
  /** Which output of the operation its root is. */
  readonly output: number;
}

const MOUNT = { bind: 0, secret: 1, ssh: 2, cache: 3, tmpfs: 4 } as const;
const SHARING = ["shared", "private", "locked"];
const NETWORKS = ["", "--network=host", "--network=none"];

/** A command as a stage on its root. Only the root's changes can be had. Throws NotImplementedError, InvalidParameterError. */
export function execStage(exec: ExecOp, writer: StageWriter): ExecStage {
  const { meta, mounts, network, security, secretenv, cdiDevices } = exec;
  const root = mounts.find(({ dest }) => dest === "/");
  if (!meta || !root || meta.args.length === 0)
    throw new InvalidParameterError("invalid LLB definition: a command needs arguments and a root");
  const others = mounts.filter((mount) => mount !== root);
  const flags = [
    ...others.map((mount) => mountFlag(mount, writer)),
    ...secretenv.map(({ id, name, optional }) => flag("secret", { id, env: name, required: String(!optional) })),
    ...cdiDevices.map(deviceFlag),
    NETWORKS[network] ?? "",
    security === 1 ? "--security=insecure" : "",
  ].filter((text) => text !== "");
  const lines = [
    ...meta.env.map(envLine),
    ...(meta.cwd ? [`WORKDIR ${literalWord(meta.cwd)}`] : []),
    ...(meta.user ? [`USER ${literalWord(meta.user)}`] : []),
    ["RUN", ...flags, exactList(meta.args)].join(" "),
  ];
  return { name: writer.stage(writer.input(root.input), lines, execSettings(meta)), output: Number(root.output) };
}

/** What RUN has no words for. */
function execSettings({ extraHosts, ulimit, cgroupParent, hostname, proxyEnv, validExitCodes }: Meta): StageSettings {
  return {
    ...(hostname === "" ? {} : { hostname }),
    ...(extraHosts.length === 0 ? {} : { extraHosts: extraHosts.map(({ host, ip }) => `${host}:${ip}`) }),
    ...(ulimit.length === 0
      ? {}
      : { ulimits: ulimit.map(({ name, soft, hard }) => ({ name, soft: Number(soft), hard: Number(hard) })) }),
    ...(cgroupParent === "" ? {} : { cgroupParent }),
    ...(proxyEnv ? { proxyEnv: proxyVariables(proxyEnv) } : {}),
    ...(validExitCodes.length === 0 ? {} : { exitCodes: validExitCodes }),
  };
}

/** In both cases, as BuildKit. */
function proxyVariables({ httpProxy, httpsProxy, ftpProxy, noProxy, allProxy }: ProxyEnv): readonly string[] {
  const variables = {
    HTTP_PROXY: httpProxy,
    HTTPS_PROXY: httpsProxy,
    FTP_PROXY: ftpProxy,
    NO_PROXY: noProxy,
    ALL_PROXY: allProxy,
  };
  return Object.entries(variables).flatMap(([name, value]) =>
    value === "" ? [] : [`${name}=${value}`, `${name.toLowerCase()}=${value}`],
  );
}

function envLine(pair: string): string {
  const equals = pair.indexOf("=");
  if (equals < 1) throw new InvalidParameterError(`invalid LLB definition: environment ${JSON.stringify(pair)}`);
  const name = pair.slice(0, equals);
  if (!isPlainWord(name))
    throw new NotImplementedError(`LLB environment variable ${JSON.stringify(name)} is not supported`);
  return `ENV ${name}=${literalWord(pair.slice(equals + 1))}`;
}

function mountFlag(mount: Mount, writer: StageWriter): string {
  const { mountType, dest: target, selector, readonly, output } = mount;
  if (output >= 0n && !readonly && mountType === MOUNT.bind)
    throw new NotImplementedError(`LLB operation exec with a second output (${target}) is not supported`);
  switch (mountType) {
    case MOUNT.bind:
      return flag("bind", {
        from: writer.input(mount.input),
        source: selector || "/",
        target,
        ...(readonly ? {} : { rw: "true" }),
      });
    case MOUNT.cache: {
      const { id = "", sharing = 0 } = mount.cacheOpt ?? {};
      const from = mount.input >= 0n ? { from: writer.input(mount.input), source: selector || "/" } : {};
      return flag("cache", { id, target, sharing: SHARING[sharing] ?? "shared", ...from });
    }
    case MOUNT.tmpfs: {
      const { size = 0n } = mount.tmpfsOpt ?? {};
      return flag("tmpfs", { target, ...(size > 0n ? { size: String(size) } : {}) });
    }
    case MOUNT.secret:
      return flag("secret", { ...served(mount.secretOpt), target });
    case MOUNT.ssh:
      return flag("ssh", { ...served(mount.sshOpt), target });
    default:
      throw new NotImplementedError(`LLB mount of type ${mountType} is not supported`);
  }
}

function deviceFlag({ name, optional }: CDIDevice): string {
  if (!/^[\w./:=*-]+$/.test(name)) throw new InvalidParameterError(`invalid device ${JSON.stringify(name)}`);
  return `--device=${name}${optional ? "" : ",required"}`;
}

function served(
  given:
    | {
        readonly id: string;
        readonly uid: number;
        readonly gid: number;
        readonly mode: number;
        readonly optional: boolean;
      }
    | undefined,
): Readonly<Record<string, string>> {
  const { id = "", uid = 0, gid = 0, mode = 0, optional = false } = given ?? {};
  return {
    id,
    uid: String(uid),
    gid: String(gid),
    ...(mode > 0 ? { mode: `0${mode.toString(8)}` } : {}),
    required: String(!optional),
  };
}

/** Values are separated by commas, and have no quotes. */
function flag(type: string, options: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(options).filter(([, value]) => value !== "");
  for (const [name, value] of pairs) {
    if (!isPlainWord(value))
      throw new NotImplementedError(`LLB mount with ${name} ${JSON.stringify(value)} is not supported`);
  }
  return `--mount=${[`type=${type}`, ...pairs.map(([name, value]) => `${name}=${value}`)].join(",")}`;
}
