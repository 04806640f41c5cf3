import { NotImplementedError } from "#errors/errors.ts";
import { mountTypeOf } from "./mounts.ts";
import type { Instruction } from "./types.ts";

/** What the parser reads and the builder cannot do yet. A feature that arrives takes its row away. */
const UNSUPPORTED: readonly ((instruction: Instruction) => string | undefined)[] = [
  (it) => (it.kind === "run" && it.security === "insecure" ? "RUN --security=insecure" : undefined),
  (it) => (it.kind === "run" && it.devices.length > 0 ? "RUN --device" : undefined),
  (it) => {
    if (it.kind !== "run") return undefined;
    const type = it.mounts.map(mountTypeOf).find((name) => name === "secret" || name === "ssh");
    return type && `RUN --mount=type=${type}`;
  },
  (it) => (it.kind === "copy" && it.parents ? "COPY --parents" : undefined),
  (it) => ((it.kind === "copy" || it.kind === "add") && it.exclude.length > 0 ? `${verbOf(it)} --exclude` : undefined),
  (it) => (it.kind === "add" && it.checksum !== "" ? "ADD --checksum" : undefined),
  (it) => (it.kind === "add" && it.keepGitDir ? "ADD --keep-git-dir" : undefined),
  (it) => (it.kind === "add" && it.sources.some(isRemote) ? "ADD of a URL or git repository" : undefined),
];

/** Throws NotImplementedError for the first thing in `instruction` that Berth cannot do, naming its line. */
export function rejectUnsupported(instruction: Instruction): void {
  for (const check of UNSUPPORTED) {
    const what = check(instruction);
    if (what !== undefined) {
      throw new NotImplementedError(`${what} is not supported yet (line ${instruction.source.startLine})`);
    }
  }
}

/** `http://…`, `https://…`, `git@host:path`, `git://…`, `ssh://…`. */
function isRemote(source: string): boolean {
  return /^(https?|git|ssh):\/\//.test(source) || /^git@[^/]+:/.test(source);
}

function verbOf(instruction: Instruction): string {
  return instruction.kind.toUpperCase();
}
