import type { BlobSource, BuildInput, NamedContext, NamedContexts } from "#build/build-client.ts";
import type { BuildContext } from "#build/builder.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import { NotFoundError } from "#errors/errors.ts";
import { digestHex, isDigest } from "#formats/digest.ts";
import type { SentContext } from "#spec/berth-api.ts";
import type { Digest } from "#spec/digest.ts";

/** `--build-context`s of Berth's client, by name. Their files are held by `stack`. Throws NotFoundError for an id that is not there. */
export function sentContexts(
  contexts: Readonly<Record<string, SentContext>>,
  store: ContextStore,
  stack: AsyncDisposableStack,
): NamedContexts {
  const open = (id: string): BuildContext => stack.use(store.open(id)).files;
  const meaning = (context: SentContext): NamedContext => {
    if ("url" in context) return imageById(context.url) ?? { kind: "url", url: context.url };
    const files = open(context.id);
    if (context.digest === undefined) return { kind: "files", files: { open: async () => files } };
    return { kind: "oci-layout", digest: context.digest, blobs: layoutBlobs(files) };
  };
  return Object.fromEntries(Object.entries(contexts).map(([name, context]) => [name, meaning(context)]));
}

/** `docker-image://sha256:…` is an image that is here, as another build gave it; no registry is asked. */
function imageById(url: string): NamedContext | undefined {
  const id = /^docker-image:\/\/(.*)$/.exec(url)?.[1] ?? "";
  return isDigest(id) ? { kind: "image", id } : undefined;
}

/** A build whose context the engine fetches; with `id` the client has sent the Dockerfile. */
export function remoteInput(
  url: string,
  sent: { readonly id: string; readonly name: string } | undefined,
  store: ContextStore,
  stack: AsyncDisposableStack,
): BuildInput {
  if (!sent) return { kind: "remote", url };
  return { kind: "remote", url, dockerfile: stack.use(store.open(sent.id)).dockerfile(sent.name) };
}

/** https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
function layoutBlobs(files: BuildContext): BlobSource {
  const byPath = new Map(files.entries.map((entry) => [entry.path, entry]));
  return {
    read(digest: Digest): AsyncIterable<Uint8Array> {
      const entry = byPath.get(`blobs/sha256/${digestHex(digest)}`);
      if (entry?.type !== "file") throw new NotFoundError(`blob ${digest}: not found in the OCI layout`);
      return files.stream(entry);
    },
  };
}
