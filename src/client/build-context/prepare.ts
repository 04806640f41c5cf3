import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { errorCode, errorMessage, InvalidParameterError, NotFoundError, SystemError } from "#errors/errors.ts";
import { IgnoreMatcher, parseDockerignore } from "#formats/dockerignore.ts";
import type { ContextEntryLine, ContextHeader } from "#spec/berth-api.ts";
import { contextKey } from "./context-key.ts";
import { withRecentContents } from "./recent-contents.ts";
import { walkContext } from "./walk.ts";

export interface ContextRequest {
  readonly directory: string;
  /** `-f`: relative to the working directory; undefined means the directory's own. Or the bytes that came from stdin (`-f -`). */
  readonly dockerfile: string | Uint8Array | undefined;
}

/** A directory, ready to be offered to the engine. */
export interface PreparedContext {
  readonly directory: string;
  readonly header: ContextHeader;
  readonly entries: readonly ContextEntryLine[];
  /** Name of the Dockerfile for messages. */
  readonly dockerfileName: string;
}

/**
 * Reads the Dockerfile and the ignore file, and walks the directory. The Dockerfile goes along in the header whether the entries have it or
 * not: it may be ignored, or lie elsewhere. Throws NotFoundError, InvalidParameterError (not a directory, bad pattern), SystemError.
 */
export function prepareContext({ directory, dockerfile }: ContextRequest): PreparedContext {
  checkDirectory(directory);
  const file =
    typeof dockerfile === "object" ? { name: "Dockerfile", bytes: dockerfile } : findDockerfile(directory, dockerfile);
  const { matcher, text } = readIgnoreFile(directory, "path" in file ? file.path : undefined);
  const walk = walkContext(directory, matcher);
  return {
    directory,
    header: {
      key: contextKey(directory),
      walked: walk.began,
      dockerfile: Buffer.from(file.bytes).toString("base64"),
      ...(text ? { ignoreFile: text.toString("base64") } : {}),
    },
    entries: withRecentContents(directory, walk),
    dockerfileName: file.name,
  };
}

/** Any directory: a `--build-context` is read with its .dockerignore, an OCI layout as it is. Throws as `prepareContext`. */
export function prepareFiles(directory: string, kind: "files" | "layout"): PreparedContext {
  checkDirectory(directory);
  const matcher = kind === "files" ? readIgnoreFile(directory, undefined).matcher : new IgnoreMatcher([]);
  const { began, entries } = walkContext(directory, matcher);
  return { directory, header: { key: contextKey(directory, kind), walked: began }, entries, dockerfileName: "" };
}

function checkDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw new NotFoundError(`unable to prepare context: path "${path}" not found`);
  if (!found.isDirectory()) {
    throw new InvalidParameterError(`unable to prepare context: path "${path}" is not a directory`);
  }
}

interface FoundDockerfile {
  readonly name: string;
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The named file; without a name `Dockerfile`, or `dockerfile`, of the directory. */
function findDockerfile(directory: string, named: string | undefined): FoundDockerfile {
  const candidates = named === undefined ? ["Dockerfile", "dockerfile"].map((name) => join(directory, name)) : [named];
  for (const path of candidates) {
    const bytes = readIfThere(path);
    if (bytes) return { name: basename(path), path, bytes };
  }
  throw new NotFoundError(
    `failed to read dockerfile: open ${basename(candidates[0] ?? "")}: no such file or directory`,
  );
}

/** `<Dockerfile>.dockerignore` beats the directory's `.dockerignore`. */
function readIgnoreFile(
  directory: string,
  dockerfilePath: string | undefined,
): { readonly matcher: IgnoreMatcher; readonly text: Buffer | undefined } {
  const own = dockerfilePath === undefined ? undefined : readIfThere(`${dockerfilePath}.dockerignore`);
  const text = own ?? readIfThere(join(directory, ".dockerignore"));
  try {
    return { matcher: new IgnoreMatcher(parseDockerignore(text?.toString("utf8") ?? "")), text };
  } catch (cause) {
    throw new InvalidParameterError(`failed to read .dockerignore: ${errorMessage(cause)}`, { cause });
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    // Asked first: most Dockerfiles have no ignore file of their own, and an exception takes longer than all else here.
    if (!statSync(path, { throwIfNoEntry: false })) return undefined;
    return readFileSync(path);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SystemError(`failed to read ${path}: ${errorMessage(cause)}`, { cause });
  }
}
