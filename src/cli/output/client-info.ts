import { API_VERSION } from "#spec/docker-system.ts";
import { buildCommit, VERSION } from "../version.ts";

/** What `version` and `info` say of the client, with docker's names. */
export interface ClientInfo {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly DefaultAPIVersion: string;
  readonly GitCommit: string;
  /** No Go here; templates ask for it. */
  readonly GoVersion: string;
  readonly Runtime: string;
  readonly Os: string;
  readonly Arch: string;
  readonly BuildTime: string;
  readonly Context: string;
}

/** The client that speaks `apiVersion` (DOCKER_API_VERSION) in the context of that name. */
export function clientInfo(context: string, apiVersion: string | undefined): ClientInfo {
  return {
    Version: VERSION,
    ApiVersion: apiVersion || API_VERSION.newest,
    DefaultAPIVersion: API_VERSION.newest,
    GitCommit: buildCommit(),
    GoVersion: "none",
    Runtime: `Bun ${Bun.version}`,
    Os: process.platform,
    Arch: process.arch === "x64" ? "amd64" : process.arch,
    BuildTime: "",
    Context: context,
  };
}
