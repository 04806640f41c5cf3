import { NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import type { BuildContext, ContextEntry } from "./builder.ts";
import { planCopy } from "./ops/copy/plan-copy.ts";
import { LayerPlan } from "./ops/layer-plan.ts";
import { layerTar } from "./ops/layer-tar.ts";
import { ContextTree } from "./ops/trees/context-tree.ts";
import type { FileTree } from "./ops/trees/file-tree.ts";
import { RootTree } from "./ops/trees/root-tree.ts";

/** A file of a context that tests write down. */
export interface TestFile extends Partial<ContextEntry> {
  readonly content?: string;
}

/** A context of these files. */
export function contextOf(files: Record<string, string | TestFile>): BuildContext {
  const contents = new Map<string, string>();
  const entries = Object.entries(files).map(([path, value]): ContextEntry => {
    const content = typeof value === "string" ? value : (value.content ?? "");
    contents.set(path, content);
    const base: ContextEntry = {
      path,
      type: "file",
      mode: 0o644,
      size: content.length,
      mtime: 1_700_000_000_500,
      linkname: "",
      digest: digestOf(content),
    };
    return typeof value === "string" ? base : { ...base, ...value };
  });
  entries.sort((left, right) => (left.path < right.path ? -1 : 1));
  return {
    entries,
    read: (entry) => Buffer.from(contents.get(entry.path) ?? ""),
    stream: async function* (entry) {
      yield Buffer.from(contents.get(entry.path) ?? "");
    },
    transferred: 2,
  };
}

/** The tar of a layer with a context's files. */
export async function* tarOf(context: BuildContext): AsyncIterable<Uint8Array> {
  yield* layerTar(planOf(new ContextTree(context)).entries());
}

/** No two steps run in the same second here. */
let clock = 1_700_000_000;

/** The same of a directory's. */
export async function* tarOfDirectory(path: string): AsyncIterable<Uint8Array> {
  const plan = planOf(new RootTree(path, () => new Map()));
  const mtime = clock++;
  yield* layerTar(plan.entries().map(([name, entry]) => [name, { ...entry, node: { ...entry.node, mtime } }] as const));
}

function planOf(tree: FileTree): LayerPlan {
  const plan = new LayerPlan(undefined);
  const everything = { path: "", node: known(tree.lstat("")), name: "/" };
  planCopy(plan, tree, everything, { destination: "/" }, { owner: undefined, chmod: "" });
  return plan;
}

/** What must be there, or the test is wrong. */
export function known<T>(value: T | undefined): T {
  if (value === undefined) throw new NotFoundError("not there");
  return value;
}
