/**
 * Contexts, kept as docker keeps them, so that both programs see the same ones: `contexts/meta/<sha256 of the name>/meta.json` and TLS files in
 * `contexts/tls/<the same>/<endpoint>/`. https://github.com/docker/cli/blob/v28.2.2/cli/context/store/store.go
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  ConflictError,
  errorCode,
  errorMessage,
  InvalidParameterError,
  NotFoundError,
  SystemError,
} from "#errors/errors.ts";
import { type Decoder, flag, object, text } from "#lib/json-decoder.ts";

/** The context of whoever has chosen none: what `-H` and the variables say. It is not stored. */
export const DEFAULT_CONTEXT = "default";

export interface DockerEndpoint {
  readonly Host?: string;
  readonly SkipTLSVerify: boolean;
}

export interface ContextMetadata {
  readonly Name: string;
  /** `Description` and whatever other programs keep there. */
  readonly Metadata: Readonly<Record<string, unknown>>;
  /** By kind; Berth knows `docker`. */
  readonly Endpoints: Readonly<Record<string, unknown>>;
}

/** Contents of TLS files by endpoint and file name. */
export type ContextTls = Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$/;

const fields: Decoder<Readonly<Record<string, unknown>>> = (value, path) => {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw new InvalidParameterError(`cannot read "${path}": expected an object`);
};

const metadata: Decoder<ContextMetadata> = object<ContextMetadata>(
  { Name: text, Metadata: fields, Endpoints: fields },
  { Name: "", Metadata: {}, Endpoints: {} },
);

const dockerEndpoint: Decoder<DockerEndpoint> = object<DockerEndpoint>(
  { Host: text, SkipTLSVerify: flag },
  { SkipTLSVerify: false },
);

/** The `docker` endpoint of a context. Throws InvalidParameterError when it has none that can be read. */
export function dockerEndpointOf({ Name, Endpoints }: Pick<ContextMetadata, "Name" | "Endpoints">): DockerEndpoint {
  const found = Endpoints["docker"];
  if (found === undefined) throw new InvalidParameterError(`cannot find docker endpoint in context "${Name}"`);
  const { Host, SkipTLSVerify } = dockerEndpoint(found, "Endpoints.docker");
  return { ...(Host === undefined ? {} : { Host }), SkipTLSVerify };
}

/** Reads a `meta.json`. Throws InvalidParameterError. */
export function parseMetadata(json: string): ContextMetadata {
  return metadata(JSON.parse(json), "");
}

/** Throws InvalidParameterError for a name that no context may have. */
export function checkContextName(name: string): void {
  if (name === "") throw new InvalidParameterError("context name cannot be empty");
  if (name === DEFAULT_CONTEXT) throw new InvalidParameterError('"default" is a reserved context name');
  checkSpelling(name);
}

function checkSpelling(name: string): void {
  if (NAME.test(name)) return;
  throw new InvalidParameterError(
    `context name "${name}" is invalid, names are validated against regexp "^[a-zA-Z0-9][a-zA-Z0-9_.+-]+$"`,
  );
}

/** The stored contexts of one configuration directory. */
export class ContextStore {
  readonly #root: string;

  constructor(configDirectory: string) {
    this.#root = join(configDirectory, "contexts");
  }

  metadataDirectory(name: string): string {
    return join(this.#root, "meta", idOf(name));
  }

  tlsDirectory(name: string): string {
    return join(this.#root, "tls", idOf(name));
  }

  has(name: string): boolean {
    return existsSync(join(this.metadataDirectory(name), "meta.json"));
  }

  /** Throws NotFoundError in docker's words, InvalidParameterError for a bad name or file. */
  read(name: string): ContextMetadata {
    checkSpelling(name);
    const path = join(this.metadataDirectory(name), "meta.json");
    try {
      return parseMetadata(readFileSync(path, "utf8"));
    } catch (cause) {
      if (errorCode(cause) === "ENOENT") {
        throw new NotFoundError(`context "${name}": context not found: open ${path}: no such file or directory`, {
          cause,
        });
      }
      throw new InvalidParameterError(`context "${name}": cannot read ${path}: ${errorMessage(cause)}`, { cause });
    }
  }

  /** All contexts, unsorted. */
  list(): readonly ContextMetadata[] {
    return directoriesIn(join(this.#root, "meta")).flatMap((id) => {
      const path = join(this.#root, "meta", id, "meta.json");
      return existsSync(path) ? [parseMetadata(readFileSync(path, "utf8"))] : [];
    });
  }

  /** Names of the TLS files of each endpoint. */
  tlsFiles(name: string): Readonly<Record<string, readonly string[]>> {
    const root = this.tlsDirectory(name);
    return Object.fromEntries(
      directoriesIn(root).map((endpoint) => [endpoint, readdirSync(join(root, endpoint)).sort()] as const),
    );
  }

  readTls(name: string): ContextTls {
    const root = this.tlsDirectory(name);
    return Object.fromEntries(
      Object.entries(this.tlsFiles(name)).map(([endpoint, files]) => [
        endpoint,
        Object.fromEntries(files.map((file) => [file, readFileSync(join(root, endpoint, file))])),
      ]),
    );
  }

  /** Writes a new context, keys first. Throws ConflictError when there is one of that name. */
  async create(context: ContextMetadata, tls: ContextTls): Promise<void> {
    if (this.has(context.Name)) throw new ConflictError(`context "${context.Name}" already exists`);
    await this.replaceTls(context.Name, tls);
    await this.writeMetadata(context);
  }

  /** Writes under another name first: a reader sees the old file or the new one. Throws SystemError. */
  async writeMetadata(context: ContextMetadata): Promise<void> {
    const directory = this.metadataDirectory(context.Name);
    const path = join(directory, "meta.json");
    const { mkdir, rename, writeFile } = await import("node:fs/promises");
    try {
      await mkdir(directory, { recursive: true, mode: 0o755 });
      await writeFile(`${path}.tmp`, JSON.stringify(context), { mode: 0o644, flush: true });
      await rename(`${path}.tmp`, path);
    } catch (cause) {
      throw new SystemError(`cannot write ${path}: ${errorMessage(cause)}`, { cause });
    }
  }

  /** Keys of an endpoint are for their owner's eyes, from the first instant. Throws SystemError. */
  async replaceTls(name: string, tls: ContextTls): Promise<void> {
    const root = this.tlsDirectory(name);
    const { mkdir, rm, writeFile } = await import("node:fs/promises");
    try {
      await rm(root, { recursive: true, force: true });
      for (const [endpoint, files] of Object.entries(tls)) {
        await mkdir(join(root, endpoint), { recursive: true, mode: 0o700 });
        for (const [file, bytes] of Object.entries(files)) {
          await writeFile(join(root, endpoint, file), bytes, { mode: 0o600, flush: true });
        }
      }
    } catch (cause) {
      throw new SystemError(`cannot write ${root}: ${errorMessage(cause)}`, { cause });
    }
  }

  /** One that is not there stays away. */
  async remove(name: string): Promise<void> {
    checkSpelling(name);
    const { rm } = await import("node:fs/promises");
    await rm(this.metadataDirectory(name), { recursive: true, force: true });
    await rm(this.tlsDirectory(name), { recursive: true, force: true });
  }
}

function idOf(name: string): string {
  return new Bun.CryptoHasher("sha256").update(name).digest("hex");
}

function directoriesIn(path: string): readonly string[] {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}
