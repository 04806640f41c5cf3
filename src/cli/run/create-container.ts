/** Creates a container for `run` or `create`: pulls what is missing, keeps the id file. */
import { type FileHandle, open, unlink } from "node:fs/promises";
import { createContainer } from "#client/container-lifecycle.ts";
import { EngineError, isNotFound } from "#client/engine-error.ts";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";
import type { ContainerCreateRequest } from "#spec/docker-containers.ts";
import { proxyVariables } from "../config/proxy-environment.ts";
import type { CommandContext, Invocation } from "../grammar/command.ts";
import type { Flag } from "../grammar/flag.ts";
import type { ContainerFlags } from "./container-flag-types.ts";
import { buildCreateRequest } from "./create-request.ts";
import { withHelp } from "./run-error.ts";

export interface CreateOptions {
  readonly name: string;
  readonly platform: string;
  readonly cidFile: string;
  readonly pull: string;
  readonly quiet: boolean;
  /** Runs each attempt to create: what the engine has begun comes to its end even when the user interrupts. */
  readonly attempt?: <T>(create: () => Promise<T>) => Promise<T>;
}

/** Creates the container and gives its id. Warnings go to stderr. Throws EngineError or InvalidParameterError. */
export async function createWithPull(
  request: ContainerCreateRequest,
  given: CreateOptions,
  context: CommandContext,
): Promise<string> {
  const platform = given.platform || context.environment["DOCKER_DEFAULT_PLATFORM"] || "";
  const options = { ...given, platform };
  const { pull: policy } = options;
  await checkPlatform(options.platform);
  await warnOfLocalDns(request, context);
  await using idFile = await openIdFile(options.cidFile);
  if (policy === "always") await pullFor(request, options, context);
  const created = await createOrPull(request, options, context);
  await idFile.write(created.Id);
  for (const warning of created.Warnings ?? []) await context.streams.stderr.write(`WARNING: ${warning}\n`);
  return created.Id;
}

/** The request that the flags of `command` make. Throws StatusError (125), which says where the help is. */
export async function readRequest(
  invocation: Invocation<ContainerFlags & { readonly pull: Flag<string> }>,
  context: CommandContext,
  command: "run" | "create",
): Promise<ContainerCreateRequest> {
  try {
    checkPullPolicy(invocation.flags.pull);
    const request = await buildCreateRequest(invocation, context);
    const given = new Set((request.Env ?? []).map((variable) => variable.split("=", 1)[0] ?? ""));
    const proxies = proxyVariables(context.configDirectory, context.engine.endpoint, given);
    return proxies.length === 0 ? request : { ...request, Env: [...(request.Env ?? []), ...proxies] };
  } catch (error) {
    throw withHelp(error, command);
  }
}

function checkPullPolicy(policy: string): void {
  if (["always", "missing", "never", ""].includes(policy)) return;
  throw new InvalidParameterError(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

async function checkPlatform(platform: string): Promise<void> {
  if (platform === "") return;
  const { parsePlatform } = await import("#formats/platform.ts");
  try {
    parsePlatform(platform);
  } catch (cause) {
    throw new InvalidParameterError(`error parsing specified platform: ${errorMessage(cause)}`, { cause });
  }
}

/** A container's loopback is its own: a resolver on the host's does not answer there. */
async function warnOfLocalDns(request: ContainerCreateRequest, context: CommandContext): Promise<void> {
  const local = request.HostConfig?.Dns?.find((address) => /^127\.|^::1$/.test(address));
  if (local) await context.streams.stderr.write(`WARNING: Localhost DNS (${local}) may fail in containers.\n`);
}

async function createOrPull(
  request: ContainerCreateRequest,
  options: CreateOptions,
  context: CommandContext,
): ReturnType<typeof createContainer> {
  const { attempt = (create) => create() } = options;
  try {
    return await attempt(() => createContainer(context.engine, request, options));
  } catch (error) {
    await explainBadName(error, request.Image ?? "");
    // Missing, or there for another platform than was asked for.
    if (!isNotFound(error) || !/image/i.test(errorMessage(error)) || !["missing", ""].includes(options.pull)) {
      throw error;
    }
  }
  const { familiarString, parseReference, tagNameOnly } = await import("#formats/reference.ts");
  const name = familiarString(tagNameOnly(parseReference(request.Image ?? "")));
  if (!options.quiet) await context.streams.stderr.write(`Unable to find image '${name}' locally\n`);
  await pullFor(request, options, context);
  return attempt(() => createContainer(context.engine, request, options));
}

/**
 * Docker's client says itself that a name cannot be one. Here the engine is asked first: the code that reads names is loaded only when
 * it refuses (3 ms). Throws InvalidParameterError for such a name; an id is none.
 */
async function explainBadName(error: unknown, image: string): Promise<void> {
  const isRefusal = error instanceof EngineError && (error.status === 400 || error.status === 404);
  if (!isRefusal || /^(sha256:)?[0-9a-f]{64}$/.test(image)) return;
  const { parseReference } = await import("#formats/reference.ts");
  parseReference(image);
}

/** stdout belongs to the container: the pull speaks on stderr. */
async function pullFor(
  request: ContainerCreateRequest,
  options: CreateOptions,
  context: CommandContext,
): Promise<void> {
  const { parseReference, tagNameOnly } = await import("#formats/reference.ts");
  const { pull } = await import("../transfer/pull.ts");
  const reference = tagNameOnly(parseReference(request.Image ?? ""));
  await pull(reference, { platform: options.platform, quiet: options.quiet, out: context.streams.stderr }, context);
}

interface IdFile extends AsyncDisposable {
  write(id: string): Promise<void>;
}

/** `--cidfile`: must not exist; is taken away again when nothing was created. */
async function openIdFile(path: string): Promise<IdFile> {
  if (path === "") return { write: async () => undefined, [Symbol.asyncDispose]: async () => undefined };
  const file = await createIdFile(path);
  let written = false;
  return {
    async write(id: string): Promise<void> {
      await file.write(id);
      written = true;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await file.close();
      if (!written) await unlink(path);
    },
  };
}

async function createIdFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "wx");
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") {
      throw new InvalidParameterError(
        `container ID file found, make sure the other container isn't running or delete ${path}`,
        { cause },
      );
    }
    throw new InvalidParameterError(`failed to create the container ID file: ${goFileError("open", path, cause)}`, {
      cause,
    });
  }
}
