/** Tars as nobody should make them: nothing is checked, so that any name, type and size can be put into a header. */

export interface RawEntry {
  readonly path: string;
  /** "0" file, "1" hard link, "2" symlink, "3" and "4" devices, "5" directory, "x" PAX header, "g" global PAX header, "L" GNU long name. */
  readonly type?: string;
  readonly linkPath?: string;
  readonly mode?: number;
  readonly content?: string | Uint8Array;
  /** What the header claims; default: the content's length. */
  readonly size?: number;
  readonly major?: number;
  readonly minor?: number;
}

const BLOCK = 512;

/** One header with its padded content. */
export function rawEntry(entry: RawEntry): Uint8Array {
  const content = Buffer.from(entry.content ?? "");
  const header = Buffer.alloc(BLOCK);
  header.write(entry.path, 0, 100, "latin1");
  octal(header, 100, 8, entry.mode ?? (entry.type === "5" ? 0o755 : 0o644));
  octal(header, 108, 8, 0);
  octal(header, 116, 8, 0);
  octal(header, 124, 12, entry.size ?? content.length);
  octal(header, 136, 12, 1_700_000_000);
  header.write(entry.type ?? "0", 156, "latin1");
  header.write(entry.linkPath ?? "", 157, 100, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  octal(header, 329, 8, entry.major ?? 0);
  octal(header, 337, 8, entry.minor ?? 0);
  header.fill(" ", 148, 156);
  octal(
    header,
    148,
    7,
    header.reduce((sum, byte) => sum + byte, 0),
  );
  return Buffer.concat([header, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

/** A whole archive. */
export function rawTar(entries: readonly RawEntry[]): Uint8Array {
  return Buffer.concat([...entries.map(rawEntry), Buffer.alloc(2 * BLOCK)]);
}

/** The body of a PAX header. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function octal(header: Buffer, at: number, width: number, value: number): void {
  header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, width, "latin1");
}
