import { InvalidParameterError } from "#errors/errors.ts";
import { attributeOf, BakeScope } from "./bake-scope.ts";
import { asArray, asObject, asText } from "./hcl/convert.ts";
import { evaluate, type HclScope, withVariables } from "./hcl/evaluate.ts";
import type { HclBlock, HclBody, HclValue } from "./hcl/syntax.ts";
import { checkTargetName, isFieldName, mergeFields, readField, type TargetFields } from "./target-fields.ts";

/** What bake files define: targets and groups by name, in their order. */
export interface BakeDefinitions {
  readonly targets: ReadonlyMap<string, TargetFields>;
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** What was passed over, each in a sentence. */
  readonly remarks: readonly string[];
}

const BLOCKS = ["variable", "function", "group", "target"];
/** Attributes that change nothing about a build. */
const WITHOUT_EFFECT = ["description", "matrix", "name"];

/** Evaluates bodies of HCL, of all files at once. Throws InvalidParameterError. */
export function definitionsOf(
  bodies: readonly HclBody[],
  environment: Readonly<Record<string, string | undefined>>,
): BakeDefinitions {
  const scope = new BakeScope(bodies, environment);
  const targets = new Map<string, TargetFields>();
  const groups = new Map<string, readonly string[]>();
  const remarks: string[] = [];
  for (const block of bodies.flatMap((body) => body.blocks)) {
    const [label = ""] = block.labels;
    if (!BLOCKS.includes(block.type))
      remarks.push(`the block ${block.type} is not known and was passed over (line ${block.line})`);
    if (block.type === "variable" && attributeOf(block.body, "type"))
      remarks.push(
        `variable ${label}: its type is not checked: a value from the environment takes the type of the default`,
      );
    if (block.type === "group") groups.set(label, groupOf(block, scope));
    if (block.type !== "target") continue;
    const matrix = attributeOf(block.body, "matrix");
    if (!matrix) {
      addTarget(targets, checkTargetName(label), fieldsOf(block, scope, remarks));
      continue;
    }
    const made = combinations(evaluate(matrix, scope)).map((variables) => {
      const inner = withVariables(scope, variables);
      const name = attributeOf(block.body, "name");
      if (!name) throw new InvalidParameterError(`target ${label}: name is required when matrix is used`);
      const own = checkTargetName(asText(evaluate(name, inner)));
      addTarget(targets, own, fieldsOf(block, inner, remarks));
      return own;
    });
    groups.set(label, made);
  }
  return { targets, groups, remarks: [...new Set(remarks)] };
}

function addTarget(targets: Map<string, TargetFields>, name: string, fields: TargetFields): void {
  const known = targets.get(name);
  targets.set(name, known ? mergeFields(known, fields) : fields);
}

function groupOf({ body }: HclBlock, scope: HclScope): readonly string[] {
  const targets = attributeOf(body, "targets");
  return targets ? asArray(evaluate(targets, scope)).map(asText) : [];
}

function fieldsOf({ body, labels }: HclBlock, scope: HclScope, remarks: string[]): TargetFields {
  let fields: TargetFields = {};
  for (const { name, value, line } of body.attributes) {
    if (WITHOUT_EFFECT.includes(name)) continue;
    if (!isFieldName(name)) {
      remarks.push(`target ${labels[0]}: the attribute ${name} is not known and was passed over (line ${line})`);
      continue;
    }
    try {
      fields = { ...fields, ...readField(name, evaluate(value, scope)) };
    } catch (error) {
      if (!(error instanceof InvalidParameterError)) throw error;
      throw new InvalidParameterError(`target ${labels[0]}: ${name}: ${error.message}`, { cause: error });
    }
  }
  return fields;
}

/** Of every value of each name; the last name's change slowest, as buildx has them. */
function combinations(matrix: HclValue): readonly Readonly<Record<string, HclValue>>[] {
  const values = asObject(matrix);
  return Object.keys(values)
    .sort()
    .reduce<readonly Readonly<Record<string, HclValue>>[]>(
      (made, name) => asArray(values[name] ?? []).flatMap((value) => made.map((one) => ({ ...one, [name]: value }))),
      [{}],
    );
}
