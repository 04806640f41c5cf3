/** The context of a build, wherever it comes from. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { BuildContext } from "#client/build.ts";
import { prepareContext } from "#client/build-context/prepare.ts";
import { readStdinContext } from "#client/build-context/stdin-context.ts";
import { transferContext } from "#client/build-context/transfer.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import type { CommandContext } from "../grammar/command.ts";

export interface ContextSource {
  /** A directory, or `-` for stdin. */
  readonly path: string;
  /** `--file`; empty for the directory's own, `-` for stdin. */
  readonly dockerfile: string;
}

/** Gives `use` the context, sent to the engine as far as it has not got it. Throws what reading and sending throw. */
export async function withBuildContext<T>(
  source: ContextSource,
  context: CommandContext,
  use: (build: BuildContext) => Promise<T>,
): Promise<T> {
  if (/^(https?|git|ssh):\/\/|^git@|^github\.com\//.test(source.path)) {
    throw new NotImplementedError(`cannot build from "${source.path}": URLs are not supported yet, fetch it first`);
  }
  if (source.path === "-") return fromStdin(source, context, use);
  const dockerfile = source.dockerfile === "-" ? await readAll(context.streams.stdin.bytes()) : source.dockerfile;
  const directory = resolve(context.workingDirectory, source.path);
  return use(await sendDirectory(directory, dockerfile || undefined, context));
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
  const directory = await mkdtemp(join(tmpdir(), "berth-build-"));
  try {
    return await use(await sendDirectory(directory, input.bytes, context));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function sendDirectory(
  directory: string,
  dockerfile: string | Uint8Array | undefined,
  context: CommandContext,
): Promise<BuildContext> {
  const prepared = prepareContext({ directory, dockerfile });
  const { id } = await transferContext(context.engine, prepared, context.signal);
  return { kind: "sent", id, dockerfile: prepared.dockerfileName };
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
