/** Hints beside what a command does. https://github.com/docker/cli/blob/v28.2.2/internal/tui/note.go */
const RESET = "\u001b[0m";
const PLAIN_HEADER = " Info -> ";
/** An `i` in black on light cyan, and the rest in light cyan. */
const HEADER = `\u001b[1m\u001b[106m\u001b[30mi${RESET}${RESET} \u001b[96mInfo → ${RESET}${RESET}`;

/** A text in bold or underlined, in italics, or as it is where escape sequences have no place. */
export function styled(text: string, style: "bold" | "italic" | "underline", isFancy: boolean): string {
  const code = { bold: 1, italic: 3, underline: 4 }[style];
  return isFancy ? `\u001b[${code}m${text}${RESET}` : text;
}

/** The lines of `text` behind `Info`, with a blank line before. */
export function noteText(text: string, fancy: boolean): string {
  const indent = " ".repeat(PLAIN_HEADER.length);
  const lines = text.split("\n").map((line) => `${styled(line, "italic", fancy)}\n`);
  return `\n${fancy ? HEADER : PLAIN_HEADER}${lines.join(indent)}`;
}
