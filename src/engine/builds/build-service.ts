import { BuildError } from "#build/build-error.ts";
import type { BuildContext, BuildRequest, BuildResult } from "#build/builder.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import { contextFromTar } from "#build/context/context-from-tar.ts";
import type { DockerfileBuilder } from "#build/dockerfile-builder.ts";
import type { Pruned } from "#engine/containers/prune.ts";
import type { EventBus } from "#engine/events.ts";
import { CancelledError, errorMessage } from "#errors/errors.ts";
import type { BuildFailure } from "#spec/solve-status.ts";
import type { BuildCache } from "#store/build-cache.ts";

export type { BuildRequest };

/** A context for the length of one build. */
export interface OpenContext extends AsyncDisposable {
  readonly files: BuildContext;
  /** Bytes of the Dockerfile of that name. Throws NotFoundError in BuildKit's words. */
  dockerfile(name: string): Uint8Array;
}

export interface BuildServiceParts {
  readonly contexts: ContextStore;
  readonly cache: BuildCache;
  readonly builder: DockerfileBuilder;
  readonly events: EventBus;
  /** Plain bytes of a stream that may be gzip or zstd. */
  readonly inflate: (source: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
  /** For contexts that live as long as one build. */
  readonly temporaryDirectory: string;
}
