/** The context of a build, wherever it comes from. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { BuildContext } from "#client/build.ts";
import { prepareContext } from "#client/build-context/prepare.ts";
import { readStdinContext } from "#client/build-context/stdin-context.ts";
import { transferContext } from "#client/build-context/transfer.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";
import { isRemoteUrl } from "./remote-url.ts";

export interface ContextSource {
  /** A directory, a URL, or `-` for stdin. */
  readonly path: string;
  /** `--file`; empty for the directory's own, `-` for stdin. */
  readonly dockerfile: string;
}

/** Gives `use` the context. Throws what reading throws. */
export async function withBuildContext<T>(
  source: ContextSource,
  context: CommandContext,
  use: (build: BuildContext) => Promise<T>,
): Promise<T> {
  if (source.path === "-") return fromStdin(source, context, use);
  const dockerfile = source.dockerfile === "-" ? await readAll(context.streams.stdin.bytes()) : source.dockerfile;
  const directory = resolve(context.workingDirectory, source.path);
  // A directory of that name comes first: `github.com/me/x` may be one.
  if (isRemoteUrl(source.path) && !existsSync(directory)) return fromUrl(source.path, dockerfile, context, use);
  return use(ofDirectory(directory, dockerfile || undefined));
}

/** With the Dockerfile from stdin only that is sent. */
async function fromUrl<T>(
  url: string,
  dockerfile: string | Uint8Array,
  context: CommandContext,
  use: (build: BuildContext) => Promise<T>,
): Promise<T> {
  if (typeof dockerfile === "string") return await use({ kind: "remote", url, dockerfile: dockerfile || "Dockerfile" });
  return await withEmptyDirectory(async (directory) => {
    const prepared = prepareContext({ directory, dockerfile });
    const { id } = await transferContext(context.engine, prepared, context.signal);
    return await use({ kind: "remote", url, id, dockerfile: "Dockerfile" });
  });
}

async function withEmptyDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const [{ mkdtemp, rm }, { tmpdir }] = await Promise.all([import("node:fs/promises"), import("node:os")]);
  const directory = await mkdtemp(join(tmpdir(), "berth-build-"));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function fromStdin<T>(
  source: ContextSource,
  context: CommandContext,
  use: (build: BuildContext) => Promise<T>,
): Promise<T> {
  if (source.dockerfile === "-") {
    throw new InvalidParameterError("invalid argument: can't use stdin for both build context and dockerfile");
  }
  const input = await readStdinContext(context.streams.stdin.bytes());
  if (input.kind === "archive") {
    return use({ kind: "archive", bytes: input.bytes, dockerfile: source.dockerfile || "Dockerfile" });
  }
  // A Dockerfile alone: its context is empty.
  const { bytes } = input;
  return await withEmptyDirectory(async (directory) => await use(ofDirectory(directory, bytes)));
}

function ofDirectory(directory: string, dockerfile: string | Uint8Array | undefined): BuildContext {
  const prepared = prepareContext({ directory, dockerfile });
  return { kind: "directory", prepared, dockerfile: prepared.dockerfileName };
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
