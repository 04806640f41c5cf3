/** What all `inspect` commands do. https://github.com/docker/cli/blob/v28.2.2/cli/command/inspect/inspector.go */
import { errorMessage } from "#errors/errors.ts";
import { StatusError } from "../status-error.ts";
import type { Output, Streams } from "../streams.ts";

export interface InspectOptions {
  /** The Go type of what is made by the client itself: there is no other JSON to try a template on. */
  readonly goType?: string;
}

/**
 * Prints what `fetch` gives for each name: as one indented JSON array, as compact JSON with `--format json`, else by the template.
 * Names that fail do not stop the others. Throws StatusError 1 with all that went wrong, 64 for a bad template.
 */
export async function inspectAll(
  names: readonly string[],
  format: string,
  streams: Streams,
  fetch: (name: string) => Promise<unknown>,
  options: InspectOptions = {},
): Promise<number> {
  const print = await printerFor(format, streams.stdout, options);
  const errors: string[] = [];
  for (const name of names) {
    try {
      await print.element(await fetch(name));
    } catch (error) {
      errors.push(errorMessage(error));
    }
  }
  await print.finish();
  if (errors.length > 0) throw new StatusError(1, errors.join("\n"));
  return 0;
}

/** Go's encoding/json, unless it is told not to. */
export function escapeHtml(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

interface Printer {
  element(value: unknown): Promise<void>;
  finish(): Promise<void>;
}

async function printerFor(format: string, out: Output, { goType }: InspectOptions): Promise<Printer> {
  if (format !== "" && format !== "json") return templatePrinter(format, out, goType);
  const elements: unknown[] = [];
  // What comes from the engine is printed as it came; what Go marshals itself has these escaped.
  const json = (indent: number): string =>
    goType === undefined ? JSON.stringify(elements, null, indent) : escapeHtml(JSON.stringify(elements, null, indent));
  return {
    element: async (value) => void elements.push(value),
    finish: () => out.write(`${json(format === "json" ? 0 : 4)}\n`),
  };
}

async function templatePrinter(format: string, out: Output, goType: string | undefined): Promise<Printer> {
  const { parseInspectTemplate, parseStructTemplate } = await import("./inspect-template.ts");
  const render = goType === undefined ? parseInspectTemplate(format) : parseStructTemplate(format, goType);
  let printed = false;
  return {
    async element(value) {
      const text = render(value);
      printed = true;
      await out.write(`${text}\n`);
    },
    // Docker ends with a line whatever happens, an empty one if need be.
    finish: async () => {
      if (!printed) await out.write("\n");
    },
  };
}
