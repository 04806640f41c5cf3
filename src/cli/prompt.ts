/** Questions to the user, on a terminal. */
import { StatusError } from "./status-error.ts";
import type { Streams } from "./streams.ts";

/** Asks for a line. */
export async function readLine(question: string, streams: Streams): Promise<string> {
  await streams.stdout.write(question);
  // Whoever answers with Ctrl-C leaves the line unfinished.
  const finishLine = (): void => void streams.stdout.write("\n");
  process.once("exit", finishLine);
  try {
    return (await untilNewline(streams)).trim();
  } finally {
    process.off("exit", finishLine);
  }
}

/** Asks for a secret: what is typed is not shown. Throws StatusError 130 on Ctrl-C. */
export async function readHidden(question: string, streams: Streams): Promise<string> {
  // Raw before the question is seen: whoever answers at once must not be echoed.
  const restore = streams.stdin.setRaw();
  process.once("exit", restore);
  await streams.stdout.write(question);
  try {
    return await untilNewline(streams);
  } finally {
    process.off("exit", restore);
    restore();
    await streams.stdout.write("\n");
  }
}

/** What was typed behind the line that was asked for: it answers the next question. */
const typedAhead = new WeakMap<Streams, string>();

/** A line, with the keys that edit one in raw mode: backspace takes a character back. */
async function untilNewline(streams: Streams): Promise<string> {
  const line = new TypedLine();
  let rest = line.add(typedAhead.get(streams) ?? "");
  if (rest === undefined) {
    for await (const chunk of streams.stdin.bytes()) {
      rest = line.add(Buffer.from(chunk).toString("utf8"));
      if (rest !== undefined) break;
    }
  }
  typedAhead.set(streams, rest ?? "");
  return line.text;
}

class TypedLine {
  text = "";

  /** Takes what was typed up to the end of the line; gives what stands behind that, or undefined while it has not come. */
  add(typed: string): string | undefined {
    for (const [at, character] of [...typed].entries()) {
      if (character === "\r" || character === "\n" || character === "\x04") return [...typed].slice(at + 1).join("");
      if (character === "\x03") throw new StatusError(130, "");
      this.text = character === "\x7f" || character === "\b" ? this.text.slice(0, -1) : this.text + character;
    }
    return undefined;
  }
}
