import type { Entitlement, NamedContexts } from "#build/build-client.ts";
import type { BuildRequest } from "#build/builder.ts";
import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { SessionBuildClient } from "../session/session-build-client.ts";
import { type FrontendBuild, frontendBuild } from "./frontend-options.ts";
import { type CacheEntry, cacheExports } from "./shared-caches.ts";

export interface DockerfileSolve {
  /** The client's reference of the build, 25 letters and digits: its record gets it too. */
  readonly ref: string;
  readonly client: SessionBuildClient;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  readonly entitlements: readonly string[];
  readonly cacheExports: readonly CacheEntry[];
  readonly onStatus: (status: SolveStatus) => void;
  readonly signal: AbortSignal;
}

/** Builds what a client asks of the Dockerfile frontend. Throws what the builder throws, and what reading the attributes throws. */
export async function solveDockerfile(engine: Engine, solve: DockerfileSolve): Promise<Digest> {
  const { contextKey, dockerfileKey, remote, contexts, ...build } = frontendBuild(solve.attributes);
  const { client, signal } = solve;
  const input = remote
    ? await remoteInput(client, remote, solve.attributes, build.dockerfileName, signal)
    : await client.input(build.dockerfileName, signal, { context: contextKey, dockerfile: dockerfileKey });
  const { imageId } = await engine.builds.build({
    ...build,
    ...client.services,
    ...cacheExports(solve.cacheExports),
    id: solve.ref,
    input,
    contexts: namedContexts(client, contexts),
    entitlements: solve.entitlements.map(entitlement),
    tags: solve.tags,
    onStatus: solve.onStatus,
    signal,
  });
  return imageId;
}

/** The Dockerfile may come from the client all the same. */
async function remoteInput(
  client: SessionBuildClient,
  url: string,
  attributes: Readonly<Record<string, string>>,
  name: string,
  signal: AbortSignal,
): Promise<BuildRequest["input"]> {
  const key = attributes["dockerfilekey"];
  if (!key) return { kind: "remote", url };
  const { bytes } = await client.files.dockerfile(key, name, signal);
  return { kind: "remote", url, dockerfile: bytes };
}

function namedContexts(client: SessionBuildClient, contexts: FrontendBuild["contexts"]): NamedContexts {
  return Object.fromEntries(
    Object.entries(contexts).map(([name, value]) => {
      if (value.startsWith("local:")) {
        return [
          name.toLowerCase(),
          { kind: "files", files: client.files.context(value.slice("local:".length), undefined) },
        ];
      }
      if (/^(input|oci-layout):/.test(value)) {
        throw new NotImplementedError(`the build context ${name}=${value} is not supported yet`);
      }
      return [name.toLowerCase(), { kind: "url", url: value }];
    }),
  );
}

const ENTITLEMENTS: readonly Entitlement[] = ["network.host", "security.insecure", "device"];

function entitlement(text: string): Entitlement {
  const found = ENTITLEMENTS.find((known) => text === known || text.startsWith(`${known}=`));
  if (!found) throw new InvalidParameterError(`unknown entitlement ${text}`);
  return found;
}
