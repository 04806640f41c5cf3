import { CharReader } from "./char-reader.ts";
import { parseExpression } from "./parse-expression.ts";
import type { HclAttribute, HclBlock, HclBody } from "./syntax.ts";

/** Blocks in blocks, of which bake has none beyond one. */
const MAX_DEPTH = 20;

/** Reads a file of HCL. Throws InvalidParameterError with name and line. */
export function parseHcl(text: string, name: string): HclBody {
  const reader = new CharReader(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"), name);
  return parseBody(reader, 0);
}

function parseBody(reader: CharReader, depth: number): HclBody {
  if (depth > MAX_DEPTH) throw reader.error("blocks that are nested too deep");
  const attributes: HclAttribute[] = [];
  const blocks: HclBlock[] = [];
  for (;;) {
    reader.skip(true);
    if (depth > 0 && reader.take("}")) break;
    if (reader.isAtEnd) {
      if (depth > 0)
        throw reader.error(
          "Unclosed configuration block; There is no closing brace for this block before the end of the file",
        );
      break;
    }
    const { line } = reader;
    const name = reader.match(/[A-Za-z_][\w-]*/y)?.[0];
    if (name === undefined) throw reader.error(`expected an attribute or a block, found ${reader.shown()}`);
    reader.skip(false);
    if (!reader.peek("==") && reader.take("=")) {
      reader.skip(false);
      attributes.push({ name, value: parseExpression(reader), line });
      endOfItem(reader);
    } else {
      const labels = parseLabels(reader);
      reader.expect("{");
      blocks.push({ type: name, labels, body: parseBody(reader, depth + 1), line });
    }
  }
  return { attributes, blocks };
}

function parseLabels(reader: CharReader): readonly string[] {
  const labels: string[] = [];
  for (;;) {
    reader.skip(false);
    const found = reader.match(/"([^"\\\n$%]*)"|([A-Za-z_][\w-]*)/y);
    if (!found) return labels;
    labels.push(found[1] ?? found[2] ?? "");
  }
}

/** A line is one attribute. */
function endOfItem(reader: CharReader): void {
  reader.skip(false);
  if (reader.take("\n") || reader.isAtEnd || reader.peek("}")) return;
  throw reader.error(`expected a new line behind an attribute, found ${reader.shown()}`);
}
