import { InvalidParameterError } from "#errors/errors.ts";
import { compilePattern, type PathTest } from "./dockerignore-pattern.ts";

/** One line of a .dockerignore, cleaned. */
export interface IgnorePattern {
  /** Without the `!`. */
  readonly text: string;
  /** `!`: paths that match are kept after all. */
  readonly keep: boolean;
}

const MAX_PATTERNS = 100_000;

/**
 * The patterns of a .dockerignore file: a byte order mark, lines that begin with `#` and empty ones dropped; the others trimmed, cleaned as
 * Go's filepath.Clean does, a leading `/` removed. https://github.com/moby/patternmatcher/blob/main/ignorefile/ignorefile.go
 */
export function parseDockerignore(text: string): readonly IgnorePattern[] {
  const patterns: IgnorePattern[] = [];
  for (const line of text.replace(/^\ufeff/, "").split("\n")) {
    const pattern = line.startsWith("#") ? undefined : ignorePattern(line);
    if (pattern) patterns.push(pattern);
  }
  if (patterns.length > MAX_PATTERNS) {
    throw new InvalidParameterError(`cannot use .dockerignore: ${patterns.length} patterns (at most ${MAX_PATTERNS})`);
  }
  return patterns;
}

/** One pattern, cleaned: what `--exclude` takes, where `#` begins no comment. Undefined for blanks. Throws InvalidParameterError for a lone `!`. */
export function ignorePattern(text: string): IgnorePattern | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const keep = trimmed.startsWith("!");
  const path = keep ? trimmed.slice(1).trim() : trimmed;
  if (path === "") throw new InvalidParameterError('illegal exclusion pattern: "!"');
  const clean = cleanPath(path);
  return { keep, text: clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean };
}

/**
 * Decides which paths a .dockerignore leaves out. A pattern matches a path if it matches the whole of it or any of its parents; the last
 * pattern that matches decides. Paths are text (not bytes), relative, `/`-separated.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export class IgnoreMatcher {
  readonly #patterns: readonly { readonly keep: boolean; readonly text: string; readonly matches: PathTest }[];
  /** Whether there is a `!` pattern at all. */
  readonly hasKeep: boolean;
  /** Per directory: which patterns matched it or a parent of it. Files below ask only for themselves. */
  readonly #directories = new Map<string, Uint8Array>();

  /** Throws InvalidParameterError on a malformed pattern (`[`). */
  constructor(patterns: readonly IgnorePattern[]) {
    this.#patterns = patterns.map((pattern) => ({ ...pattern, matches: compilePattern(pattern.text) }));
    this.hasKeep = patterns.some((pattern) => pattern.keep);
  }

  /** Whether there is nothing to match. */
  get isEmpty(): boolean {
    return this.#patterns.length === 0;
  }

  /** Whether `path` is left out. */
  ignores(path: string): boolean {
    if (this.#patterns.length === 0 || path === "" || path === ".") return false;
    const parent = this.#matchedBy(parentOf(path));
    let ignored = false;
    // By index: this loop runs for every pattern and every file, and entries() would allocate each time.
    for (let index = 0; index < this.#patterns.length; index++) {
      const pattern = this.#patterns[index];
      // A pattern that would decide nothing as things stand need not be asked.
      if (!pattern || pattern.keep !== ignored) continue;
      if (parent?.[index] === 1 || pattern.matches(path)) ignored = !pattern.keep;
    }
    return ignored;
  }

  /**
   * Whether an ignored directory has to be walked all the same, because a `!` pattern may match below it. Errs on the side of walking:
   * only a pattern whose literal beginning lies elsewhere is ruled out.
   */
  mayKeepBelow(directory: string): boolean {
    if (!this.hasKeep) return false;
    return this.#patterns.some((pattern) => pattern.keep && mayMatchBelow(pattern.text, directory));
  }

  /** Which patterns match `directory` or one of its parents; undefined for the root, which nothing matches. */
  #matchedBy(directory: string): Uint8Array | undefined {
    if (directory === "") return undefined;
    const known = this.#directories.get(directory);
    if (known) return known;
    const inherited = this.#matchedBy(parentOf(directory));
    const matched = Uint8Array.from(this.#patterns, (pattern, index) =>
      inherited?.[index] === 1 || pattern.matches(directory) ? 1 : 0,
    );
    this.#directories.set(directory, matched);
    return matched;
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Compares the pattern with the directory, part by part, up to the first part with a wildcard. */
function mayMatchBelow(pattern: string, directory: string): boolean {
  const directoryParts = directory.split("/");
  for (const [index, part] of pattern.split("/").entries()) {
    const other = directoryParts[index];
    if (other === undefined || /[*?[\\]/.test(part)) return true;
    if (part !== other) return false;
  }
  // The pattern names the directory or a parent of it, and so keeps everything below.
  return true;
}

/** Go's filepath.Clean: no `.`, no `//`, `a/..` resolved. */
function cleanPath(path: string): string {
  const isAbsolute = path.startsWith("/");
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== ".." || !isAbsolute) parts.push(part);
  }
  return isAbsolute ? `/${parts.join("/")}` : parts.join("/") || ".";
}
