import type { Flag } from "../grammar/flag.ts";
import { stringFlag } from "../grammar/flag.ts";

const REFER =
  "Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates";

/** `--format` of lists. */
export function listFormatFlag(): Flag<string> {
  return stringFlag(`Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
${REFER}`);
}

/** `-f, --format` of inspect and its like. */
export function inspectFormatFlag(): Flag<string> {
  return stringFlag(
    `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
${REFER}`,
    { short: "f" },
  );
}
