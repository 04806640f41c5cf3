/** What a row of the display tells by its colour, and the parameters of the escape sequence for it; "" for none. */
export interface ProgressColors {
  readonly run: string;
  readonly cancel: string;
  readonly warning: string;
  readonly error: string;
  /** Output of a running step. */
  readonly log: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const USUAL: ProgressColors = { run: "34", cancel: "33", warning: "33", error: "31", log: "2" };
const NONE: ProgressColors = { run: "", cancel: "", warning: "", error: "", log: "" };

const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/**
 * By `NO_COLOR`, and before it `BUILDKIT_COLORS="run=green:warning=yellow:error=red:cancel=255,165,0"`; what is no colour there is passed over.
 * https://docs.docker.com/build/building/variables/#buildkit_colors
 */
export function progressColors(environment: Environment): ProgressColors {
  let colors = environment["NO_COLOR"] ? NONE : USUAL;
  for (const field of (environment["BUILDKIT_COLORS"] ?? "").split(":")) {
    const [name = "", value = ""] = field.trim().split("=", 2);
    const code = colorCode(value.trim().toLowerCase());
    if (code !== undefined && ["run", "cancel", "warning", "error"].includes(name))
      colors = { ...colors, [name]: code };
  }
  return colors;
}

/** A name, perhaps with `light-`, or `R,G,B` from 0 to 255 each: the nearest of the 256 colours. */
function colorCode(value: string): string | undefined {
  const name = NAMES.indexOf(value.replace(/^light-/, ""));
  if (name >= 0) return String((value.startsWith("light-") ? 90 : 30) + name);
  const parts = value.split(",").map(Number);
  const [red = 0, green = 0, blue = 0] = parts;
  if (parts.length !== 3 || !parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 255))
    return undefined;
  const step = (part: number): number => Math.floor(part / 43);
  return `38;5;${16 + 36 * step(red) + 6 * step(green) + step(blue)}`;
}

/** Lines of output that a running step shows: `BUILDKIT_TTY_LOG_LINES`, else six. */
export function ttyLogLines(environment: Environment): number {
  const text = environment["BUILDKIT_TTY_LOG_LINES"] ?? "";
  return /^\d{1,4}$/.test(text) ? Number(text) : 6;
}

export function paint(text: string, code: string): string {
  return code === "" ? text : `\x1b[${code}m${text}\x1b[0m`;
}
