/** Questions to the user, on a terminal. */
import { StatusError } from "./status-error.ts";
import type { Streams } from "./streams.ts";

/** Asks for a line. */
export async function readLine(question: string, streams: Streams): Promise<string> {
  await streams.stdout.write(question);
  return (await untilNewline(streams)).trim();
}

/** Asks for a secret: what is typed is not shown. Throws StatusError 130 on Ctrl-C. */
export async function readHidden(question: string, streams: Streams): Promise<string> {
  await streams.stdout.write(question);
  const restore = streams.stdin.setRaw();
  process.once("exit", restore);
  try {
    return await untilNewline(streams);
  } finally {
    process.off("exit", restore);
    restore();
    await streams.stdout.write("\n");
  }
}

/** A line, with the keys that edit one in raw mode: backspace takes a character back. */
async function untilNewline(streams: Streams): Promise<string> {
  let text = "";
  for await (const chunk of streams.stdin.bytes()) {
    for (const character of Buffer.from(chunk).toString("utf8")) {
      if (character === "\r" || character === "\n" || character === "\x04") return text;
      if (character === "\x03") throw new StatusError(130, "");
      text = character === "\x7f" || character === "\b" ? text.slice(0, -1) : text + character;
    }
  }
  return text;
}
