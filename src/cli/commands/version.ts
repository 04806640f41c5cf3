import { engineVersion } from "#client/system.ts";
import { BerthError } from "#errors/errors.ts";
import { API_VERSION, type VersionInfo } from "#spec/docker-api.ts";
import { NO_ARGUMENTS } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { inspectFormatFlag } from "../output/format-flag.ts";
import { buildCommit, VERSION } from "../version.ts";

interface ClientVersion {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly GitCommit: string;
  readonly Runtime: string;
  readonly Os: string;
  readonly Arch: string;
  readonly Context: string;
}

export const command: Command = defineCommand({
  usage: "[OPTIONS]",
  about: "Show the Berth version information",
  arguments: NO_ARGUMENTS,
  flags: { format: inspectFormatFlag() },
  async run({ flags }, context) {
    const client = clientVersion();
    let server: VersionInfo | undefined;
    let failure: unknown;
    try {
      server = await engineVersion(context.engine);
    } catch (error) {
      if (!(error instanceof BerthError)) throw error;
      failure = error;
    }
    await context.streams.stdout.write(await render(client, server, flags.format));
    // The client's part is shown in any case, and the exit code tells that the engine's is missing.
    if (failure) throw failure;
    return 0;
  },
});

function clientVersion(): ClientVersion {
  return {
    Version: VERSION,
    ApiVersion: API_VERSION.newest,
    GitCommit: buildCommit(),
    Runtime: `Bun ${Bun.version}`,
    Os: process.platform,
    Arch: process.arch === "x64" ? "amd64" : process.arch,
    Context: "default",
  };
}

async function render(client: ClientVersion, server: VersionInfo | undefined, format: string): Promise<string> {
  const value = { Client: client, Server: server ?? null };
  if (format === "json") return `${JSON.stringify(value)}\n`;
  if (format !== "") {
    if (!server && /\.Server\b/.test(format)) return "";
    const { parseInspectTemplate } = await import("../output/inspect-template.ts");
    return `${parseInspectTemplate(format, 64)(value)}\n`;
  }
  return clientText(client) + (server ? serverText(server) : "");
}

function clientText(client: ClientVersion): string {
  return section("Client:", [
    ["Version:", client.Version],
    ["API version:", client.ApiVersion],
    ["Runtime:", client.Runtime],
    ["Git commit:", client.GitCommit],
    ["OS/Arch:", `${client.Os}/${client.Arch}`],
    ["Context:", client.Context],
  ]);
}

function serverText(server: VersionInfo): string {
  const components = (server.Components ?? []).map((component) => {
    const details = Object.entries(component.Details ?? {}).map(([name, value]) => [`${name}:`, value] as const);
    return section(` ${component.Name}:`, [["Version:", component.Version], ...details], "  ");
  });
  const name = server.Platform?.Name ?? "";
  return `\nServer:${name === "" ? "" : ` ${name}`}\n${components.join("")}`;
}

function section(title: string, lines: readonly (readonly [string, string])[], indent: string = " "): string {
  return `${title}\n${lines.map(([name, value]) => `${indent}${name.padEnd(19 - indent.length)}${value}\n`).join("")}`;
}
