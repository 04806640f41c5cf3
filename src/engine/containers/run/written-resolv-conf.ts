import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import type { ContainerFiles } from "#engine/containers/container-context.ts";
import { errorCode } from "#errors/errors.ts";

/** Bytes. A larger file is none that the engine wrote. */
const LONGEST = 64 * 1024;

/**
 * Writes a container's resolv.conf, in place, as it is mounted, unless somebody has edited the one that the engine wrote: it says itself that it stays as it is
 * then. What the engine wrote is known by its digest beside it, of this time and of the time before, so that a crash between the two files changes nothing.
 */
export function writeResolvConf({ resolvConf }: Pick<ContainerFiles, "resolvConf">, text: string): void {
  const marks = `${resolvConf}.hash`;
  const known = readOptional(marks).split("\n").filter(Boolean);
  const current = statOptional(resolvConf) > LONGEST ? undefined : readOptional(resolvConf);
  if (current === text && known.length > 0) return;
  const isEdited = known.length > 0 && (current === undefined || !known.includes(digestOf(current)));
  if (isEdited) return;
  writeFileSync(marks, [...known.slice(-1), digestOf(text)].join("\n"), { mode: 0o600 });
  writeFileSync(resolvConf, text, { mode: 0o644 });
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function readOptional(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return "";
    throw error;
  }
}

function statOptional(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
