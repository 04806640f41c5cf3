import { lstatSync, readdirSync, rmSync } from "node:fs";

/**
 * Removes what is in a directory and not among `kept`: names below it, `/`-separated, bytes decoded as latin1. Links are removed, not followed.
 * Throws Node's system errors.
 */
export function removeOthers(directory: string, kept: Iterable<string>): void {
  const names = new Set<string>();
  for (const name of kept) {
    // A directory that an archive leaves out is kept for what is in it.
    for (let at = name; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) names.add(at);
  }
  removeBelow(Buffer.from(directory), "", names);
}

function removeBelow(directory: Buffer, prefix: string, kept: ReadonlySet<string>): void {
  for (const entry of readdirSync(directory, { encoding: "buffer" })) {
    const name = `${prefix}${entry.toString("latin1")}`;
    const path = Buffer.concat([directory, Buffer.from("/"), entry]);
    if (!kept.has(name)) rmSync(path, { recursive: true, force: true });
    else if (lstatSync(path).isDirectory()) removeBelow(path, `${name}/`, kept);
  }
}
