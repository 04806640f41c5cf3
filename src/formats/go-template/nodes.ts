/** The syntax tree of a template. Positions are offsets, for messages. */

export type Expression =
  | { readonly kind: "dot"; readonly position: number }
  | { readonly kind: "nil"; readonly position: number }
  | {
      readonly kind: "literal";
      readonly position: number;
      readonly text: string;
      readonly value: string | number | boolean;
    }
  | { readonly kind: "field"; readonly position: number; readonly names: readonly string[] }
  | { readonly kind: "variable"; readonly position: number; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: "function"; readonly position: number; readonly name: string }
  | { readonly kind: "chain"; readonly position: number; readonly of: Expression; readonly names: readonly string[] }
  | { readonly kind: "pipeline"; readonly position: number; readonly pipeline: Pipeline };

export interface CommandNode {
  readonly position: number;
  /** The first is what is called, if it takes arguments. */
  readonly words: readonly Expression[];
}

export interface Pipeline {
  readonly position: number;
  readonly variables: readonly string[];
  /** `=` and not `:=`. */
  readonly assigns: boolean;
  readonly commands: readonly CommandNode[];
}

export type Node =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "action"; readonly position: number; readonly pipeline: Pipeline }
  | {
      readonly kind: "if" | "with" | "range";
      readonly position: number;
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly kind: "template"; readonly position: number; readonly name: string; readonly pipeline?: Pipeline }
  | { readonly kind: "break" | "continue"; readonly position: number };

/** A node as Go's `Node.String()` spells it: error messages quote it. */
export function expressionText(node: Expression): string {
  switch (node.kind) {
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "literal":
      return node.text;
    case "field":
      return fieldText(node.names);
    case "variable":
      return node.name + fieldText(node.names);
    case "function":
      return node.name;
    case "chain":
      return expressionText(node.of) + fieldText(node.names);
    case "pipeline":
      return `(${pipelineText(node.pipeline)})`;
  }
}

/** A call with its arguments, for errors of what was called. */
export function commandText(command: CommandNode): string {
  return command.words.map(expressionText).join(" ");
}

/** `$x := a b | c`. */
export function pipelineText(pipeline: Pipeline): string {
  const { variables, assigns, commands } = pipeline;
  const head = variables.length > 0 ? `${variables.join(", ")} ${assigns ? "=" : ":="} ` : "";
  return head + commands.map(commandText).join(" | ");
}

function fieldText(names: readonly string[]): string {
  return names.map((name) => `.${name}`).join("");
}
