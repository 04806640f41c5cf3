import { NotImplementedError } from "#errors/errors.ts";
import { locate } from "../build-error.ts";
import { mountTypeOf } from "./mounts.ts";
import { remoteKind } from "./remote-source.ts";
import type { Instruction } from "./types.ts";

/** What the parser reads and the builder cannot do yet. A feature that arrives takes its row away. */
const UNSUPPORTED: readonly ((instruction: Instruction) => string | undefined)[] = [
  (it) => (it.kind === "run" && it.security === "insecure" ? "RUN --security=insecure" : undefined),
  (it) => (it.kind === "run" && it.devices.length > 0 ? "RUN --device" : undefined),
  (it) => (it.kind === "run" && it.mounts[0] ? `RUN --mount=type=${mountTypeOf(it.mounts[0])}` : undefined),
  (it) => (it.kind === "copy" && it.parents ? "COPY --parents" : undefined),
  (it) => ((it.kind === "copy" || it.kind === "add") && it.exclude.length > 0 ? `${verbOf(it)} --exclude` : undefined),
  (it) => (it.kind === "add" && it.checksum !== "" ? "ADD --checksum" : undefined),
  (it) => (it.kind === "add" && it.keepGitDir ? "ADD --keep-git-dir" : undefined),
  (it) => (it.kind === "add" && it.sources.some(remoteKind) ? "ADD of a URL or git repository" : undefined),
];

/** Throws LocatedError for the first thing in `instruction` that Berth cannot do: said plainly, not ignored. */
export function rejectUnsupported(instruction: Instruction): void {
  for (const check of UNSUPPORTED) {
    const what = check(instruction);
    if (what !== undefined) {
      const { source } = instruction;
      throw locate(new NotImplementedError(`${what} is not supported yet (line ${source.startLine})`), { source });
    }
  }
}

function verbOf(instruction: Instruction): string {
  return instruction.kind.toUpperCase();
}
