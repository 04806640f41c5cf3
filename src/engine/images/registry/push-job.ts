import type { ImageContext } from "#engine/images/image-context.ts";
import type { ProgressListener } from "#engine/images/progress.ts";
import type { Reference } from "#formats/reference.ts";
import type { RepositoryWriter } from "#registry/repository-writer.ts";
import type { Digest } from "#spec/digest.ts";
import type { PushRelay } from "./push-relay.ts";

/** What a name of a repository means there after a push. */
export interface PushedDocument {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes of the document. */
  readonly size: number;
}

/** What all parts of a push to one repository share. */
export interface PushJob {
  readonly target: Reference;
  readonly writer: RepositoryWriter;
  /** Paths of other repositories of this registry to mount blobs from. */
  readonly mountFrom: readonly string[];
  readonly relay: PushRelay;
  readonly report: ProgressListener;
  readonly signal: AbortSignal;
}

/** Makes the registry have an image's config. Resolves with its bytes. */
export async function pushConfig(context: ImageContext, { writer, signal }: PushJob, id: Digest): Promise<Uint8Array> {
  const bytes = await context.blobs.read(id);
  if (!(await writer.hasBlob(id, signal))) await writer.uploadSmallBlob(bytes, id, signal);
  return bytes;
}
