import { engineInfo } from "#client/system.ts";
import { BerthError } from "#errors/errors.ts";
import { binarySize } from "#formats/go-units.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { clientInfo } from "../../output/client-info.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import type { Rendered } from "../../output/inspect-template.ts";

const GO_TYPE = "system.dockerInfo";

type Info = Readonly<Record<string, unknown>>;

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Display system-wide information",
  spellings: ["system info", "info"],
  arguments: NO_ARGUMENTS,
  flags: { format: inspectFormatFlag() },
  async run({ flags }, context) {
    const { engine, streams } = context;
    const { listPlugins } = await import("../../plugins/plugin-metadata.ts");
    const plugins = listPlugins(context.configDirectory);
    const client = { ...clientOf(context), Plugins: plugins };
    let info: Info | undefined;
    let failure: unknown;
    try {
      info = await engineInfo(engine);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      failure = error;
    }
    const { text, failure: mistake } = await render(client, info, flags.format);
    await streams.stdout.write(text);
    if (info && flags.format === "") {
      for (const warning of list(info, "Warnings")) await streams.stderr.write(`${warning}\n`);
    }
    // The client's part is shown in any case, and the exit code tells that the engine's is missing.
    if (failure ?? mistake) throw failure ?? mistake;
    return 0;
  },
});

function clientOf({ debug, selection, environment }: CommandContext): Info {
  const client = clientInfo(selection.name, environment["DOCKER_API_VERSION"]);
  return { Debug: debug, ...client, Warnings: null };
}

async function render(client: Info, info: Info | undefined, format: string): Promise<Rendered> {
  if (format === "") {
    const lines = [...clientLines(client), "", "Server:", ...(info ? [...serverLines(info), ""] : [])];
    return { text: `${lines.join("\n")}\n` };
  }
  const { renderStruct, structJson } = await import("../../output/inspect-template.ts");
  const value = { ...info, ClientInfo: client };
  if (format === "json") return { text: `${structJson(GO_TYPE, value)}\n` };
  return info ? renderStruct(format, "", GO_TYPE, value) : { text: "\n" };
}

function clientLines(client: Info): readonly string[] {
  return [
    "Client:",
    ` Version:    ${text(client, "Version")}`,
    ` Context:    ${text(client, "Context")}`,
    ` Debug Mode: ${text(client, "Debug")}`,
    ...titled(" Plugins:", records(client, "Plugins").flatMap(clientPluginLines)),
  ];
}

/** In docker's order and wording; what the engine does not tell is left out. */
function serverLines(info: Info): readonly string[] {
  return [
    ` Containers: ${text(info, "Containers")}`,
    `  Running: ${text(info, "ContainersRunning")}`,
    `  Paused: ${text(info, "ContainersPaused")}`,
    `  Stopped: ${text(info, "ContainersStopped")}`,
    ` Images: ${text(info, "Images")}`,
    ...named(info, [["Server Version", "ServerVersion"]]),
    ` Storage Driver: ${text(info, "Driver")}`,
    ...pairs(info, "DriverStatus").map(([name, value]) => `  ${name}: ${value}`),
    ...named(info, [
      ["Logging Driver", "LoggingDriver"],
      ["Cgroup Driver", "CgroupDriver"],
      ["Cgroup Version", "CgroupVersion"],
    ]),
    ...pluginLines(object(info, "Plugins")),
    ...titled(
      " CDI spec directories:",
      list(info, "CDISpecDirs").map((directory) => `  ${directory}`),
    ),
    ...titled(
      " Discovered Devices:",
      records(info, "DiscoveredDevices").map((device) => `  ${text(device, "Source")}: ${text(device, "ID")}`),
    ),
    ` Swarm: ${text(object(info, "Swarm"), "LocalNodeState")}`,
    ` Runtimes: ${Object.keys(object(info, "Runtimes")).join(" ")}`,
    ` Default Runtime: ${text(info, "DefaultRuntime")}`,
    ...runtimeLines(info),
    ...titled(" Security Options:", list(info, "SecurityOptions").flatMap(securityLines)),
    ...named(info, [
      ["Kernel Version", "KernelVersion"],
      ["Operating System", "OperatingSystem"],
      ["OSType", "OSType"],
      ["Architecture", "Architecture"],
      ["CPUs", "NCPU"],
    ]),
    ` Total Memory: ${binarySize(Number(info["MemTotal"] ?? 0))}`,
    ...named(info, [
      ["Name", "Name"],
      ["ID", "ID"],
      ["Docker Root Dir", "DockerRootDir"],
      ["Debug Mode", "Debug"],
    ]),
    ...named(info, [
      ["HTTP Proxy", "HttpProxy"],
      ["HTTPS Proxy", "HttpsProxy"],
      ["No Proxy", "NoProxy"],
    ]).filter((line) => !line.endsWith(": ")),
    ...titled(
      " Labels:",
      list(info, "Labels").map((label) => `  ${label}`),
    ),
    ...named(info, [["Experimental", "ExperimentalBuild"]]),
    ...registryLines(info),
    ...named(info, [["Live Restore Enabled", "LiveRestoreEnabled"]]),
  ];
}

function clientPluginLines(plugin: Info): readonly string[] {
  return [
    `  ${text(plugin, "Name")}: ${text(plugin, "ShortDescription")} (${text(plugin, "Vendor")})`,
    `    Version:  ${text(plugin, "Version")}`,
    `    Path:     ${text(plugin, "Path")}`,
  ];
}

function titled(title: string, lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? [title, ...lines] : [];
}

function pluginLines(plugins: Info): readonly string[] {
  const kinds = ["Volume", "Network", "Authorization", "Log"].filter((kind) => list(plugins, kind).length > 0);
  return titled(
    " Plugins:",
    kinds.map((kind) => `  ${kind}: ${list(plugins, kind).join(" ")}`),
  );
}

function runtimeLines(info: Info): readonly string[] {
  return [
    ...named(info, [["Init Binary", "InitBinary"]]),
    ...[
      ["containerd", "ContainerdCommit"],
      ["runc", "RuncCommit"],
      ["init", "InitCommit"],
    ].map(([name = "", field = ""]) => ` ${name} version: ${text(object(info, field), "ID")}`),
  ];
}

function named(info: Info, fields: readonly (readonly [label: string, field: string])[]): readonly string[] {
  return fields
    .filter(([, field]) => info[field] !== undefined)
    .map(([label, field]) => ` ${label}: ${text(info, field)}`);
}

/** `name=seccomp,profile=builtin` as the name with its options below. */
function securityLines(option: string): readonly string[] {
  const [name = "", ...rest] = option.split(",").map((part) => part.split("=", 2));
  const title = name.length > 1 ? name[1] : name[0];
  return [
    `  ${title ?? ""}`,
    ...rest.map(([key = "", value = ""]) => `   ${key[0]?.toUpperCase() ?? ""}${key.slice(1)}: ${value}`),
  ];
}

function registryLines(info: Info): readonly string[] {
  const config = object(info, "RegistryConfig");
  const cidrs = list(config, "InsecureRegistryCIDRs");
  const mirrors = list(config, "Mirrors");
  return [
    ...(cidrs.length > 0 ? [" Insecure Registries:", ...cidrs.map((cidr) => `  ${cidr}`)] : []),
    ...(mirrors.length > 0 ? [" Registry Mirrors:", ...mirrors.map((mirror) => `  ${mirror}`)] : []),
  ];
}

function text(info: Info, field: string): string {
  const value = info[field];
  return value === undefined || value === null ? "" : String(value);
}

function list(info: Info, field: string): readonly string[] {
  const value = info[field];
  return Array.isArray(value) ? value.map(String) : [];
}

function object(info: Info, field: string): Info {
  const value = info[field];
  return typeof value === "object" && value !== null ? (value as Info) : {};
}

function records(info: Info, field: string): readonly Info[] {
  const value = info[field];
  return Array.isArray(value) ? value.map((one) => object({ one }, "one")) : [];
}

function pairs(info: Info, field: string): readonly (readonly [string, string])[] {
  const value = info[field];
  return Array.isArray(value) ? value.map((pair) => [String(pair[0]), String(pair[1])] as const) : [];
}
