import { DataLossError } from "#errors/errors.ts";

/** One record of a PAX extended header: latin1 key and value. Order and repetition matter to GNU.sparse.* records. */
export type PaxRecord = readonly [key: string, value: string];

/**
 * Reads the body of a PAX extended header: records of `LENGTH KEY=VALUE\n`, where LENGTH counts the whole record.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html ("pax Extended Header"). Throws DataLossError.
 */
export function parsePax(body: Uint8Array): PaxRecord[] {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1");
  const records: PaxRecord[] = [];
  for (let at = 0; at < text.length; ) {
    const space = text.indexOf(" ", at);
    const digits = space < 0 ? "" : text.slice(at, space);
    const end = at + Number(digits);
    const equals = text.indexOf("=", space + 1);
    const isWhole =
      /^[0-9]{1,10}$/.test(digits) &&
      end <= text.length &&
      equals > space + 1 &&
      equals < end &&
      text[end - 1] === "\n";
    if (!isWhole) throw new DataLossError("archive/tar: invalid tar header: malformed PAX record");
    records.push(checked(text.slice(space + 1, equals), text.slice(equals + 1, end - 1)));
    at = end;
  }
  return records;
}

/** A NUL in a name would cut it in some readers and not in others: Go's archive/tar refuses it, and so does Berth. */
function checked(key: string, value: string): PaxRecord {
  const isText = key === "path" || key === "linkpath" || key === "uname" || key === "gname";
  if (key.includes("\0") || (isText && value.includes("\0"))) {
    throw new DataLossError("archive/tar: invalid tar header: NUL in a PAX record");
  }
  return [key, value];
}

/** Writes records as the body of a PAX extended header. */
export function writePax(records: readonly PaxRecord[]): Buffer {
  return Buffer.from(records.map(([key, value]) => paxRecord(key, value)).join(""), "latin1");
}

function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  // The length counts its own digits, which may add one more.
  let length = rest.length + String(rest.length).length;
  if (String(length).length + rest.length !== length) length = rest.length + String(length).length;
  return `${length}${rest}`;
}
