import { engineVersion } from "#client/system.ts";
import { BerthError } from "#errors/errors.ts";
import type { VersionInfo } from "#spec/docker-system.ts";
import { NO_ARGUMENTS } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { type ClientInfo, clientInfo } from "../../output/client-info.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import type { Rendered } from "../../output/inspect-template.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Show the Berth version information",
  arguments: NO_ARGUMENTS,
  flags: { format: inspectFormatFlag() },
  async run({ flags }, context) {
    const client = clientInfo(context.selection.name, context.environment["DOCKER_API_VERSION"]);
    let server: VersionInfo | undefined;
    let failure: unknown;
    try {
      server = await engineVersion(context.engine);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      failure = error;
    }
    const { text, failure: mistake } = await render(client, server, flags.format);
    await context.streams.stdout.write(text);
    // The client's part is shown in any case, and the exit code tells that the engine's is missing.
    if (failure ?? mistake) throw failure ?? mistake;
    return 0;
  },
});

const GO_TYPE = "system.versionInfo";

async function render(client: ClientInfo, server: VersionInfo | undefined, format: string): Promise<Rendered> {
  if (format === "") return { text: clientText(client) + (server ? serverText(server) : "") };
  const { renderStruct, structJson } = await import("../../output/inspect-template.ts");
  const value = { Client: client, Server: server ? withoutEmpty(server) : null };
  if (format === "json") return { text: `${structJson(GO_TYPE, value)}\n` };
  if (!server && /\.Server\b/.test(format)) return { text: "\n" };
  return renderStruct(format, "version", GO_TYPE, value);
}

/** Go leaves a BuildTime out that is not known. */
function withoutEmpty(server: VersionInfo): Omit<VersionInfo, "BuildTime"> {
  const { BuildTime, ...rest } = server;
  return BuildTime ? server : rest;
}

function clientText(client: ClientInfo): string {
  return section(
    "Client:",
    [
      ["Version:", client.Version],
      ["API version:", apiText(client.ApiVersion, client.DefaultAPIVersion)],
      ["Runtime:", client.Runtime],
      ["Git commit:", client.GitCommit],
      ["Built:", client.BuildTime],
      ["OS/Arch:", `${client.Os}/${client.Arch}`],
      ["Context:", client.Context],
    ],
    " ",
  );
}

function apiText(used: string, newest: string): string {
  return used === newest ? used : `${used} (downgraded from ${newest})`;
}

/** Docker's names for what the component `Engine` says of itself. */
function engineLines(version: string, details: Readonly<Record<string, string>>): readonly Line[] {
  const {
    ApiVersion = "",
    MinAPIVersion = "",
    GoVersion = "",
    GitCommit = "",
    BuildTime = "",
    Os = "",
    Arch = "",
  } = details;
  return [
    ["Version:", version],
    ["API version:", `${ApiVersion} (minimum version ${MinAPIVersion})`],
    ["Go version:", GoVersion],
    ["Git commit:", GitCommit],
    ["Built:", BuildTime],
    ["OS/Arch:", `${Os}/${Arch}`],
    ["Experimental:", details["Experimental"] ?? ""],
  ];
}

function serverText(server: VersionInfo): string {
  const components = (server.Components ?? []).map(({ Name, Version, Details }) => {
    const details = Object.entries(Details ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    const others = details.map(([name, value]): Line => [`${name}:`, value]);
    const lines = Name === "Engine" ? engineLines(Version, Details ?? {}) : [["Version:", Version] as const, ...others];
    return section(` ${Name}:`, lines, "  ");
  });
  const name = server.Platform?.Name ?? "";
  return `\nServer:${name === "" ? "" : ` ${name}`}\n${components.join("")}`;
}

type Line = readonly [name: string, value: string];

const LABEL_WIDTH = 20;

function section(title: string, lines: readonly Line[], indent: string): string {
  const width = LABEL_WIDTH - indent.length;
  return `${title}\n${lines.map(([name, value]) => `${indent}${name.padEnd(width)}${value}\n`).join("")}`;
}
