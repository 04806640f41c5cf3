import { engineInfo } from "#client/system.ts";
import { binarySize } from "#formats/go-units.ts";
import { NO_ARGUMENTS } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { inspectFormatFlag } from "../output/format-flag.ts";
import { VERSION } from "../version.ts";

type Info = Readonly<Record<string, unknown>>;

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Display system-wide information",
  spellings: ["system info", "info"],
  arguments: NO_ARGUMENTS,
  flags: { format: inspectFormatFlag() },
  async run({ flags }, { engine, streams }) {
    const info = await engineInfo(engine);
    const value = {
      ...info,
      ClientInfo: { Debug: false, Version: VERSION, Context: "default", Plugins: [], Warnings: null },
    };
    if (flags.format === "json") {
      await streams.stdout.write(`${JSON.stringify(value)}\n`);
    } else if (flags.format !== "") {
      const { parseInspectTemplate } = await import("../output/inspect-template.ts");
      await streams.stdout.write(`${parseInspectTemplate(flags.format, 64)(value)}\n`);
    } else {
      await streams.stdout.write(infoText(info));
      for (const warning of list(info, "Warnings")) await streams.stderr.write(`${warning}\n`);
    }
    return 0;
  },
});

/** In docker's order and wording; what the engine does not tell is left out. */
function infoText(info: Info): string {
  const lines = [
    "Client:",
    ` Version:    ${VERSION}`,
    " Context:    default",
    "",
    "Server:",
    ` Containers: ${text(info, "Containers")}`,
    `  Running: ${text(info, "ContainersRunning")}`,
    `  Paused: ${text(info, "ContainersPaused")}`,
    `  Stopped: ${text(info, "ContainersStopped")}`,
    ` Images: ${text(info, "Images")}`,
    ` Server Version: ${text(info, "ServerVersion")}`,
    ` Storage Driver: ${text(info, "Driver")}`,
    ...pairs(info, "DriverStatus").map(([name, value]) => `  ${name}: ${value}`),
    ...named(info, [
      ["Logging Driver", "LoggingDriver"],
      ["Cgroup Driver", "CgroupDriver"],
      ["Cgroup Version", "CgroupVersion"],
    ]),
    ` Runtimes: ${Object.keys(object(info, "Runtimes")).join(" ")}`,
    ` Default Runtime: ${text(info, "DefaultRuntime")}`,
    " Security Options:",
    ...list(info, "SecurityOptions").flatMap(securityLines),
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
    ...registryLines(info),
  ];
  return `${lines.join("\n")}\n`;
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

function pairs(info: Info, field: string): readonly (readonly [string, string])[] {
  const value = info[field];
  return Array.isArray(value) ? value.map((pair) => [String(pair[0]), String(pair[1])] as const) : [];
}
