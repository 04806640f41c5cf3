import type { NamedContext } from "#build/build-client.ts";
import { openedContext } from "#build/build-client.ts";
import type { ContextEntry } from "#build/builder.ts";
import { digestOf } from "#formats/digest.ts";

/** A file or link that a definition brings along. */
export type MadeFile =
  | {
      readonly path: string;
      readonly data: Uint8Array;
      readonly mode: number /** Milliseconds. */;
      readonly mtime: number;
    }
  | { readonly path: string; readonly target: string };

/** A context of one file. */
export function memoryContext(file: MadeFile): NamedContext {
  const path = Buffer.from(file.path).toString("latin1");
  const data = "data" in file ? file.data : new Uint8Array();
  const entry: ContextEntry =
    "data" in file
      ? {
          path,
          type: "file",
          mode: file.mode,
          size: data.length,
          mtime: file.mtime,
          linkname: "",
          digest: digestOf(data),
        }
      : {
          path,
          type: "symlink",
          mode: 0o777,
          size: 0,
          mtime: 0,
          linkname: Buffer.from(file.target).toString("latin1"),
        };
  return {
    kind: "files",
    files: openedContext({
      entries: [entry],
      transferred: 0,
      read: () => data,
      stream: async function* stream() {
        yield data;
      },
    }),
  };
}
