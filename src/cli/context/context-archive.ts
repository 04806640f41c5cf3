/** Contexts as tar archives: `meta.json` and `tls/ENDPOINT/FILE`. https://github.com/docker/cli/blob/v28.2.2/cli/context/store/store.go (Export, Import) */
import { DataLossError, InvalidParameterError } from "#errors/errors.ts";
import { tarName, tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import { type ContextMetadata, type ContextTls, parseMetadata } from "./context-store.ts";

/** More than any context needs; an archive that says more is something else. */
const MAX_BYTES = 10 * 1024 * 1024;

export interface ArchivedContext {
  readonly context: ContextMetadata;
  readonly tls: ContextTls;
}

/** The archive of a context. Keys are readable by their owner only, also in the archive. */
export function writeContextArchive(context: ContextMetadata, tls: ContextTls): Buffer {
  const parts = [...fileParts("meta.json", 0o644, Buffer.from(JSON.stringify(context))), directoryPart("tls")];
  for (const [endpoint, files] of Object.entries(tls)) {
    parts.push(directoryPart(`tls/${endpoint}`));
    for (const [file, bytes] of Object.entries(files))
      parts.push(...fileParts(`tls/${endpoint}/${file}`, 0o600, bytes));
  }
  return Buffer.concat([...parts, TAR_END]);
}

const TIMELESS = { uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } } as const;

function fileParts(path: string, mode: number, bytes: Uint8Array): readonly Uint8Array[] {
  const header = tarHeader({ ...TIMELESS, path: tarName(path), type: "file", mode, size: bytes.length });
  return [header, bytes, tarPadding(bytes.length)];
}

function directoryPart(path: string): Uint8Array {
  return tarHeader({ ...TIMELESS, path: tarName(path), type: "directory", mode: 0o700, size: 0 });
}

/** Reads an archive that docker or Berth wrote. Throws InvalidParameterError when it holds no context, or paths that lead elsewhere. */
export async function readContextArchive(source: AsyncIterable<Uint8Array>): Promise<ArchivedContext> {
  let context: ContextMetadata | undefined;
  const tls: Record<string, Record<string, Uint8Array>> = {};
  for await (const { entry, body } of readTar(tarOnly(source))) {
    if (entry.type !== "file") continue;
    const path = tarText(entry.path).replace(/^\.\//, "");
    if (path === "meta.json") {
      context = parseMetadata((await bytesOf(body)).toString("utf8"));
    } else if (path.startsWith("tls/")) {
      const [endpoint, file] = tlsPath(path);
      tls[endpoint] = { ...tls[endpoint], [file]: await bytesOf(body) };
    }
  }
  if (!context) throw new InvalidParameterError("invalid context: no metadata found");
  return { context, tls };
}

/** `tls/docker/ca.pem` as its two names. */
function tlsPath(path: string): readonly [endpoint: string, file: string] {
  const [, endpoint = "", file = "", ...rest] = path.split("/");
  const isName = (part: string): boolean => part !== "" && part !== "." && part !== "..";
  if (rest.length === 0 && isName(endpoint) && isName(file)) return [endpoint, file];
  throw new InvalidParameterError(`invalid context: archive path "${path}" is not tls/ENDPOINT/FILE`);
}

async function* tarOnly(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let seen = 0;
  for await (const bytes of source) {
    if (seen === 0 && bytes[0] === 0x50 && bytes[1] === 0x4b) {
      throw new InvalidParameterError("invalid context: this is a zip file; unpack it and pack it again with tar");
    }
    seen += bytes.length;
    if (seen > MAX_BYTES) throw new DataLossError(`read exceeds the defined limit of ${MAX_BYTES} bytes`);
    yield bytes;
  }
}

async function bytesOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const bytes of body) parts.push(bytes);
  return Buffer.concat(parts);
}
