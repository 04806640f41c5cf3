/*
 * HCL's native syntax as bake files use it. https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
 */

/** What an expression comes to. */
export type HclValue = string | number | boolean | null | readonly HclValue[] | { readonly [key: string]: HclValue };

export interface HclBody {
  readonly attributes: readonly HclAttribute[];
  readonly blocks: readonly HclBlock[];
}

export interface HclAttribute {
  readonly name: string;
  readonly value: HclExpression;
  readonly line: number;
}

export interface HclBlock {
  readonly type: string;
  readonly labels: readonly string[];
  readonly body: HclBody;
  readonly line: number;
}

export type HclExpression = { readonly line: number } & (
  | { readonly kind: "literal"; readonly value: HclValue }
  /** Parts that are joined; a single expression alone keeps its type. */
  | { readonly kind: "template"; readonly parts: readonly HclExpression[] }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "index"; readonly of: HclExpression; readonly at: HclExpression }
  /** `list[*].name`: the rest of the way for each. */
  | { readonly kind: "splat"; readonly of: HclExpression; readonly names: readonly string[] }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly args: readonly HclExpression[];
      readonly isSpread: boolean;
    }
  | { readonly kind: "list"; readonly items: readonly HclExpression[] }
  | { readonly kind: "object"; readonly items: readonly (readonly [key: HclExpression, value: HclExpression])[] }
  | { readonly kind: "unary"; readonly operator: "!" | "-"; readonly of: HclExpression }
  | {
      readonly kind: "binary";
      readonly operator: BinaryOperator;
      readonly left: HclExpression;
      readonly right: HclExpression;
    }
  | {
      readonly kind: "condition";
      readonly test: HclExpression;
      readonly yes: HclExpression;
      readonly no: HclExpression;
    }
  | HclFor
);

export interface HclFor {
  readonly kind: "for";
  /** "" for none. */
  readonly keyName: string;
  readonly valueName: string;
  readonly over: HclExpression;
  /** Of an object. */
  readonly key: HclExpression | undefined;
  readonly value: HclExpression;
  readonly isGrouped: boolean;
  readonly filter: HclExpression | undefined;
}

export type BinaryOperator = "||" | "&&" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "-" | "*" | "/" | "%";
