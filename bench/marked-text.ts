import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

const BEGIN = "<!-- bench -->";
const END = "<!-- /bench -->";

/** Puts the text between the markers of the file, in place of what stood there. Throws when a marker is missing. */
export async function replaceBetweenMarkers(path: string, text: string): Promise<void> {
  const whole = readFileSync(path, "utf8");
  const begin = whole.indexOf(BEGIN);
  const end = whole.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${path} has no "${BEGIN}" followed by "${END}"`);
  await writeFile(path, `${whole.slice(0, begin + BEGIN.length)}\n\n${text}\n${whole.slice(end)}`);
}
