import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";

/** The statistics files of one cgroup directory. One that is not there (a controller that is off, a cgroup that has gone) reads as empty. */
export class CgroupFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  text(name: string): string {
    try {
      return readFileSync(join(this.#directory, name), "utf8").trim();
    } catch (error) {
      if (["ENOENT", "ENODEV", "EOPNOTSUPP", "EIO"].includes(errorCode(error) ?? "")) return "";
      throw error;
    }
  }

  /** A file with one number; 0 for `max` and for an empty one. */
  number(name: string): number {
    return numberOf(this.text(name));
  }

  /** Lines of `NAME NUMBER`. */
  table(name: string): Readonly<Record<string, number>> {
    const lines = this.text(name).split("\n");
    return Object.fromEntries(
      lines.map((line) => line.split(" ", 2)).flatMap(([key, value]) => (key && value ? [[key, numberOf(value)]] : [])),
    );
  }
}

export function numberOf(text: string): number {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}
