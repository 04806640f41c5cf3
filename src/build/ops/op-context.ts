import type { StepRunner } from "#runtime/container-runtime.ts";
import type { Snapshotter } from "#snapshot/snapshotter.ts";
import type { Layer, LayerIngester } from "#store/layer-store.ts";
import type { BuildHost } from "../builder.ts";
import type { Inflate } from "./archive-file.ts";
import { RootTree, type XattrReader } from "./root-tree.ts";

/** What steps are carried out with. */
export interface OpTools {
  readonly snapshotter: Snapshotter;
  readonly runtime: StepRunner;
  readonly layers: LayerIngester;
  readonly host: Pick<BuildHost, "openNetwork">;
  readonly readXattrs: XattrReader;
  /** For the archives of ADD. */
  readonly inflate: Inflate;
  /** Directory for heredoc scripts that a step mounts and archives that it unpacks. Exists; swept at start-up. */
  readonly scratchDirectory: string;
}

export interface OpOptions {
  readonly signal: AbortSignal;
  readonly extraHosts: readonly string[];
  readonly onOutput: (stream: 1 | 2, bytes: Uint8Array) => void;
}

/** Runs `work` on the root that `layers` make, read-only; on nothing when there are none. */
export async function withRoot<T>(
  tools: Pick<OpTools, "snapshotter" | "readXattrs">,
  layers: readonly Layer[],
  work: (root: RootTree | undefined) => Promise<T>,
): Promise<T> {
  if (layers.length === 0) return await work(undefined);
  await using view = await tools.snapshotter.view(layers);
  return await work(new RootTree(view.path, tools.readXattrs));
}
