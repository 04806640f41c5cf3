import { Digester } from "#formats/digest.ts";
import { type TarEntry, tarText } from "#formats/tar/tar-entry.ts";
import { readTar, type TarStreamEntry } from "#formats/tar/tar-reader.ts";
import type { FileDifference } from "#spec/build-twice.ts";

/** The first file in which two layers differ, in the order of the first one; undefined when they have the same files. */
export async function firstDifference(
  first: AsyncIterable<Uint8Array>,
  second: AsyncIterable<Uint8Array>,
): Promise<FileDifference | undefined> {
  const left = readTar(first);
  const right = readTar(second);
  try {
    for (;;) {
      const [one, other] = [(await left.next()).value, (await right.next()).value];
      if (!one && !other) return undefined;
      if (!one || !other || one.entry.path !== other.entry.path) return onlyIn(one?.entry, other?.entry);
      const differences = await compare(one, other);
      if (differences.length > 0) return { path: pathOf(one.entry), differences };
    }
  } finally {
    await left.return(undefined);
    await right.return(undefined);
  }
}

/** Layers are sorted: the smaller path is the one that the other layer lacks. */
function onlyIn(one: TarEntry | undefined, other: TarEntry | undefined): FileDifference {
  const isFirst = one !== undefined && (other === undefined || one.path < other.path);
  const entry = isFirst ? one : (other ?? one);
  const [first, second] = isFirst ? ["there", "missing"] : ["missing", "there"];
  return { path: entry ? pathOf(entry) : "", differences: [{ what: "existence", first, second }] };
}

async function compare(one: TarStreamEntry, other: TarStreamEntry): Promise<FileDifference["differences"]> {
  const found: { what: FileDifference["differences"][number]["what"]; first: string; second: string }[] = [];
  const note = (what: (typeof found)[number]["what"], read: (entry: TarEntry) => string): void => {
    const [first, second] = [read(one.entry), read(other.entry)];
    if (first !== second) found.push({ what, first, second });
  };
  note("type", ({ type }) => type);
  // In turn: reading a body moves its archive on.
  const [content, otherContent] = [await digestBody(one), await digestBody(other)];
  if (content !== otherContent) found.push({ what: "content", first: content, second: otherContent });
  note("link", ({ linkPath }) => tarText(linkPath));
  note("mode", ({ mode }) => mode.toString(8).padStart(4, "0"));
  note("owner", ({ uid, gid }) => `${uid}:${gid}`);
  note("mtime", ({ mtime }) => new Date(mtime.seconds * 1000).toISOString());
  note("device", ({ major, minor }) => `${major}:${minor}`);
  note("xattrs", ({ xattrs }) =>
    [...xattrs].map(([name, value]) => `${tarText(name)}=${Buffer.from(value).toString("hex")}`).join(" "),
  );
  return found;
}

async function digestBody({ entry, body }: TarStreamEntry): Promise<string> {
  if (entry.type !== "file") return "";
  const digester = new Digester();
  for await (const chunk of body) digester.update(chunk);
  return `${digester.digest()} (${entry.size} bytes)`;
}

function pathOf({ path }: TarEntry): string {
  return `/${tarText(path).replace(/\/$/, "")}`;
}
