import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { flag, object, oneOf, text, textList } from "#lib/json-decoder.ts";
import { type BundleFiles, readJson } from "../bundle-files.ts";
import type { RuntimeCatalog } from "./catalog.ts";
import { LowLevelRuntime } from "./low-level-runtime.ts";
import type { RuntimeProgram } from "./program.ts";

const decodeProgram = object<RuntimeProgram>(
  {
    name: text,
    kind: oneOf(["runc", "crun"], (kind) => `unknown kind of runtime: ${kind}`),
    path: text,
    args: textList,
    version: text,
    supportsTime: flag,
  },
  { name: "", kind: "runc", path: "", args: [], version: "", supportsTime: false },
);

/**
 * The runtimes of the containers that there are. Which one a container was made with stands in its bundle, and is what it keeps for as long as it runs:
 * the next engine may have another default, or know that name no more. Each name has a state root of its own, `--root`.
 */
export class BundleRuntimes {
  readonly #catalog: RuntimeCatalog;
  readonly #directory: string;

  /** `directory`: where the state roots are. */
  constructor(catalog: RuntimeCatalog, directory: string) {
    this.#catalog = catalog;
    this.#directory = directory;
    mkdirSync(this.#rootsDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#firstRoot, { recursive: true, mode: 0o700 });
  }

  /** Writes down that the container of this bundle, which is there, is made with `program`. Not durable, as nothing in a bundle is. */
  assign(program: RuntimeProgram, files: BundleFiles): LowLevelRuntime {
    const runtime = new LowLevelRuntime(program, this.#root(program.name));
    mkdirSync(runtime.root, { recursive: true, mode: 0o700 });
    writeFileSync(files.runtime, JSON.stringify(program), { mode: 0o600 });
    return runtime;
  }

  /** The runtime of the container that has, or had, this bundle; undefined when none was started for it. */
  async of(files: BundleFiles): Promise<LowLevelRuntime | undefined> {
    const written = readJson(files.runtime);
    if (written !== undefined) {
      const program = decodeProgram(written, "");
      return new LowLevelRuntime(program, this.#root(program.name));
    }
    // The first engines had one for all, and wrote nothing.
    if (!existsSync(join(this.#firstRoot, files.id))) return undefined;
    return new LowLevelRuntime(await this.#catalog.find(""), this.#firstRoot);
  }

  /** The containers that have a directory in any state root, be there state in it or not: a runtime that was killed leaves it empty. */
  ids(): readonly string[] {
    return this.#roots().flatMap((root) => readdirSync(root));
  }

  /** Removes what runtimes that were killed left of a container: a directory without state, which would make them refuse its id. */
  forget(id: string): void {
    for (const root of this.#roots()) rmSync(join(root, id), { recursive: true, force: true });
  }

  #roots(): readonly string[] {
    return [this.#firstRoot, ...readdirSync(this.#rootsDirectory).map((name) => join(this.#rootsDirectory, name))];
  }

  /** Whatever a user calls it: no name leads elsewhere. */
  #root(name: string): string {
    return join(this.#rootsDirectory, encodeURIComponent(name.toWellFormed()).replace(/^\./, "%2E"));
  }

  get #rootsDirectory(): string {
    return join(this.#directory, "roots");
  }

  get #firstRoot(): string {
    return join(this.#directory, "runtime");
  }
}
