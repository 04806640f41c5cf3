import { existsSync } from "node:fs";
import { digestOf } from "#formats/digest.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildCacheRecord } from "#store/build-cache-record.ts";
import type { Layer } from "#store/layer-store.ts";
import type { BaseFacts } from "../ops/base-facts.ts";
import type { ImportedCache } from "../shared-cache/imported-cache.ts";
import type { CacheKey } from "./cache-key.ts";
import type { SolvedLayer, SolverTools } from "./solver-types.ts";

/** Roots that a COPY's layer is tried on: each costs looking at a few paths. */
const MAX_FLOATING = 4;

/** The one row that keeps a failed step's root. */
const FAILED_ROOT: Digest = digestOf("the root of the step that failed last");

/** The key of a COPY without its root, and what its layer took from the root. */
export interface Floating {
  readonly key: Digest;
  readonly facts: BaseFacts;
}

export interface FloatingLayer {
  readonly solved: SolvedLayer;
  readonly facts: BaseFacts;
}

/** What a hit in a shared cache is recorded with. */
export interface StepDescription {
  readonly record: string;
  readonly root: Digest;
  readonly name: string;
}

/** The build cache as one build uses it: what it has looked at stays protected until the build is disposed. */
export class StepCache implements Disposable {
  readonly #cache: SolverTools["cache"];
  readonly #layers: SolverTools["layers"];
  readonly #imported: readonly ImportedCache[];
  readonly #held = new DisposableStack();
  /** Digests over files of stages that this build has used, by key. */
  readonly contents: Map<Digest, readonly Digest[]> = new Map();

  constructor({ cache, layers }: Pick<SolverTools, "cache" | "layers">, imported: readonly ImportedCache[] = []) {
    this.#cache = cache;
    this.#layers = layers;
    this.#imported = imported;
  }

  /** The layer that the step made once, here or where a shared cache comes from; undefined when it never ran. */
  find(key: Digest, describe?: StepDescription): SolvedLayer | undefined {
    const own = this.#findOwn(key);
    return own ?? (describe && this.#findImported(key, describe));
  }

  /** Undefined too when its layer's file has gone. */
  #findOwn(key: Digest): SolvedLayer | undefined {
    this.#held.use(this.#cache.hold(key));
    const record = this.#cache.get(key);
    const solved = record && this.#solved(record);
    if (solved) this.#cache.touch(key, Date.now());
    return solved;
  }

  /** A hit is one's own from then on: its record is written as soon as its layer is here. */
  #findImported(key: Digest, { record, root, name }: StepDescription): SolvedLayer | undefined {
    for (const imported of this.#imported) {
      const step = imported.find(key);
      if (!step) continue;
      const { diffId, contentId, created, remote } = step;
      const here = this.#layers.layer(diffId);
      const isHere = here !== undefined && existsSync(here.path);
      const remember = (layer: Layer): void => this.add({ key, record }, root, name, { layer, contentId, created });
      if (isHere) {
        remember(here);
        return { layer: here, contentId, created };
      }
      const fetch = async (): Promise<Layer> => {
        const layer = await remote.fetch();
        remember(layer);
        return layer;
      };
      const placeholder = { diffId, size: 0, contentSize: 0, fileSize: 0, path: "" };
      return { layer: placeholder, contentId, created, remote: { blob: remote.blob, fetch } };
    }
    return undefined;
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
    if (record) this.#cache.touch(key, Date.now());
    const content = record
      ? (JSON.parse(record.record) as ContentRecord).content
      : this.#imported.map((cache) => cache.findContent(key)).find((found) => found !== undefined);
    if (content) this.contents.set(key, content);
    return content;
  }

  addContent({ key, record }: CacheKey, content: readonly Digest[], description: string): void {
    const full: ContentRecord = { ...JSON.parse(record), content };
    this.contents.set(key, content);
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

  /** The root of a failed step stays as long as this row: until the next failure, or a prune. */
  keepFailed(layers: readonly Digest[], step: string): void {
    const diffId = layers.at(-1);
    if (!diffId) return;
    this.#cache.put({ key: FAILED_ROOT, diffId, description: `failed: ${step}`, record: "{}", created: Date.now() });
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
