import { existsSync } from "node:fs";
import type { Digest } from "#spec/digest.ts";
import type { CacheKey } from "./cache-key.ts";
import type { SolvedLayer, SolverTools } from "./solver-types.ts";

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
    const layer = record?.diffId && this.#layers.layer(record.diffId);
    if (!record || !layer || !existsSync(layer.path)) return undefined;
    this.#cache.touch(key, Date.now());
    return { layer, created: record.created };
  }

  /** Remembers what a step made. Durable when the cache is flushed next. */
  add({ key, record }: CacheKey, parent: Digest, description: string, solved: SolvedLayer): void {
    const created = solved.created ?? Date.now();
    this.#cache.put({ key, parent, diffId: solved.layer.diffId, description, record, created });
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
