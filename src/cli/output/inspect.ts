/** What all `inspect` commands do. https://github.com/docker/cli/blob/v28.2.2/cli/command/inspect/inspector.go */
import { errorMessage } from "#errors/errors.ts";
import { StatusError } from "../status-error.ts";
import type { Output, Streams } from "../streams.ts";

/** Exit code of a template that cannot be parsed. */
const BAD_TEMPLATE = 64;

/**
 * Prints what `fetch` gives for each name: as one indented JSON array, as compact JSON with `--format json`, else by the template.
 * Names that fail do not stop the others. Throws StatusError 1 with all that went wrong, 64 for a bad template.
 */
export async function inspectAll(
  names: readonly string[],
  format: string,
  streams: Streams,
  fetch: (name: string) => Promise<unknown>,
): Promise<number> {
  const print = await printerFor(format, streams.stdout);
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

interface Printer {
  element(value: unknown): Promise<void>;
  finish(): Promise<void>;
}

async function printerFor(format: string, out: Output): Promise<Printer> {
  if (format !== "" && format !== "json") return templatePrinter(format, out);
  const elements: unknown[] = [];
  return {
    element: async (value) => void elements.push(value),
    finish: () => out.write(`${format === "json" ? JSON.stringify(elements) : JSON.stringify(elements, null, 4)}\n`),
  };
}

async function templatePrinter(format: string, out: Output): Promise<Printer> {
  const { parseInspectTemplate } = await import("./inspect-template.ts");
  const render = parseInspectTemplate(format, BAD_TEMPLATE);
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
