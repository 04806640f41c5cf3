import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { isObject } from "./convert.ts";
import { parseTemplateText } from "./parse-expression.ts";
import type { HclBlock, HclBody, HclExpression, HclValue } from "./syntax.ts";

const BLOCKS = ["variable", "function", "group", "target"];

/** The same in JSON, where texts are templates. Throws InvalidParameterError. https://github.com/hashicorp/hcl/blob/main/json/spec.md */
export function parseJsonBody(text: string, name: string): HclBody {
  let json: HclValue;
  try {
    json = JSON.parse(text) as HclValue;
  } catch (cause) {
    throw new InvalidParameterError(`failed to parse ${name}: ${errorMessage(cause)}`, { cause });
  }
  if (!isObject(json)) throw new InvalidParameterError(`failed to parse ${name}: it is no object`);
  const line = 1;
  const blocks = BLOCKS.flatMap((type) =>
    labelled(json[type] ?? {}).map(
      ([label, body]): HclBlock => ({ type, labels: [label], body: bodyOf(body, name), line }),
    ),
  );
  const attributes = Object.entries(json)
    .filter(([key]) => !BLOCKS.includes(key))
    .map(([key, value]) => ({ name: key, value: expressionOf(value, name), line }));
  return { attributes, blocks };
}

/** One object of them, or several in a list. */
function labelled(value: HclValue): readonly (readonly [string, HclValue])[] {
  if (Array.isArray(value)) return value.flatMap((one: HclValue) => labelled(one));
  return isObject(value) ? Object.entries(value) : [];
}

function bodyOf(value: HclValue, name: string): HclBody {
  const [only] = Array.isArray(value) ? (value as readonly HclValue[]) : [value];
  if (only === undefined || !isObject(only))
    throw new InvalidParameterError(`failed to parse ${name}: a block is an object`);
  return {
    attributes: Object.entries(only).map(([key, one]) => ({ name: key, value: expressionOf(one, name), line: 1 })),
    blocks: [],
  };
}

function expressionOf(value: HclValue, name: string): HclExpression {
  const line = 1;
  if (typeof value === "string") return parseTemplateText(value, name);
  if (Array.isArray(value)) return { kind: "list", items: value.map((one: HclValue) => expressionOf(one, name)), line };
  if (!isObject(value)) return { kind: "literal", value, line };
  return {
    kind: "object",
    items: Object.entries(value).map(([key, one]) => [{ kind: "literal", value: key, line }, expressionOf(one, name)]),
    line,
  };
}
