import { existsSync } from "node:fs";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheRecord } from "#store/build-cache-record.ts";
import type { BaseFacts } from "../ops/base-facts.ts";
import type { CacheKey } from "./cache-key.ts";
import type { SolvedLayer, SolverTools } from "./solver-types.ts";

/** Roots that a COPY's layer is tried on: each costs looking at a few paths. */
const MAX_FLOATING = 4;

/** The key of a COPY without its root, and what its layer took from the root. */
export interface Floating {
  readonly key: Digest;
  readonly facts: BaseFacts;
}

export interface FloatingLayer {
  readonly solved: SolvedLayer;
  readonly facts: BaseFacts;
}

/** The build cache as one build uses it: what it has looked at stays protected until the build is disposed. */
export class StepCache implements Disposable {
  readonly #cache: SolverTools["cache"];
  readonly #layers: SolverTools["layers"];
  readonly #held = new DisposableStack();

  constructor({ cache, layers }: Pick<SolverTools, "cache" | "layers">) {
    this.#cache = cache;
    this.#layers = layers;
  }

  /** The layer that the step made once; undefined when it never ran, or its layer's file has gone. */
  find(key: Digest): SolvedLayer | undefined {
    this.#held.use(this.#cache.hold(key));
    const record = this.#cache.get(key);
    const solved = record && this.#solved(record);
    if (solved) this.#cache.touch(key, Date.now());
    return solved;
  }

  /** Layers that the same COPY made over other roots, with what they took from those; the newest first. */
  findFloating(key: Digest): readonly FloatingLayer[] {
    return this.#cache.findFloating(key, MAX_FLOATING).flatMap((record) => {
      const solved = this.#solved(record);
      if (!solved || !record.floating) return [];
      this.#held.use(this.#cache.hold(record.key));
      return [{ solved, facts: JSON.parse(record.floating.facts) as BaseFacts }];
    });
  }

  /** Remembers what a step made. Durable when the cache is flushed next. */
  add({ key, record }: CacheKey, parent: Digest, description: string, solved: SolvedLayer, floating?: Floating): void {
    const { layer, contentId, created = Date.now() } = solved;
    this.#cache.put({
      key,
      parent,
      diffId: layer.diffId,
      ...(contentId === layer.diffId ? {} : { contentId }),
      ...(floating ? { floating: { key: floating.key, facts: JSON.stringify(floating.facts) } } : {}),
      description,
      record,
      created,
    });
  }

  #solved({ diffId, contentId, created }: BuildCacheRecord): SolvedLayer | undefined {
    const layer = diffId && this.#layers.layer(diffId);
    if (!layer || !existsSync(layer.path)) return undefined;
    return { layer, contentId: contentId ?? layer.diffId, created };
  }

  /** Digests over files of a stage, one per source argument. */
  findContent(key: Digest): readonly Digest[] | undefined {
    this.#held.use(this.#cache.hold(key));
    const record = this.#cache.get(key);
    if (!record) return undefined;
    this.#cache.touch(key, Date.now());
    return (JSON.parse(record.record) as ContentRecord).content;
  }

  addContent({ key, record }: CacheKey, content: readonly Digest[], description: string): void {
    const full: ContentRecord = { ...JSON.parse(record), content };
    this.#cache.put({ key, description, record: JSON.stringify(full), created: Date.now() });
  }

  /** A note that is no step: what a server said of a URL. */
  recall(key: Digest): string | undefined {
    this.#held.use(this.#cache.hold(key));
    return this.#cache.get(key)?.record;
  }

  remember(key: Digest, record: string, description: string): void {
    this.#cache.put({ key, description, record, created: Date.now() });
  }

  flush(): void {
    this.#cache.flush();
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }
}

interface ContentRecord {
  readonly content: readonly Digest[];
}
