import { describe, expect, test } from "bun:test";
import { TAR_END, tarHeader, tarPadding } from "#formats/tar/tar-writer.ts";
import type { Session } from "../session/session.ts";
import { PACKET } from "./diff-copy.ts";
import { sendDirectory } from "./send-directory.ts";

interface Sent {
  readonly type: number;
  readonly id?: number;
  readonly data?: Uint8Array;
  readonly stat?: { readonly path: string };
}

const NOTHING = new Uint8Array();

/** A session whose client asks for the files of these numbers once it knows all, and keeps what it is sent. */
function receiver(asksFor: readonly number[]): { readonly session: Session; readonly sent: Sent[] } {
  const sent: Sent[] = [];
  async function* diffCopy(outgoing: AsyncIterable<Sent>): AsyncGenerator<Omit<Sent, "stat">> {
    const packets = outgoing[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await packets.next();
      if (done) return;
      sent.push(value);
      if (value.type === PACKET.stat && !value.stat) {
        for (const id of asksFor) yield { type: PACKET.request, id, data: NOTHING };
        yield { type: PACKET.fin, id: 0, data: NOTHING };
      }
    }
  }
  const session = { client: () => ({ diffCopy }), signal: new AbortController().signal };
  return { session: session as unknown as Session, sent };
}

async function* archive(): AsyncGenerator<Uint8Array> {
  for (const path of ["b", "a"]) {
    const header = { path, mode: 0o644, uid: 0, gid: 0, mtime: { seconds: 0, nanoseconds: 0 } };
    yield tarHeader({ ...header, type: "file", size: 4 });
    yield Buffer.from(`is ${path}`);
    yield tarPadding(4);
  }
  yield TAR_END;
}

const target = { index: 0, signal: new AbortController().signal };

describe("sendDirectory()", () => {
  test("describes the files by name, and sends those that the client asks for", async () => {
    const { session, sent } = receiver([1]);
    await sendDirectory(session, archive, target);
    expect(sent.flatMap(({ stat }) => stat?.path ?? [])).toEqual(["a", "b"]);
    const data = sent.filter(({ type }) => type === PACKET.data);
    expect(data.map(({ id, data }) => [id, data && Buffer.from(data).toString()])).toEqual([
      [1, "is b"],
      [1, undefined],
    ]);
    expect(sent.at(-1)?.type).toBe(PACKET.fin);
  });

  test("refuses a client that asks for what it has not been told of", async () => {
    const { session } = receiver([7]);
    await expect(sendDirectory(session, archive, target)).rejects.toThrow("invalid file id 7");
  });
});
