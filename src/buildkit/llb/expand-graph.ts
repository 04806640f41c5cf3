import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { InvalidParameterError } from "#errors/errors.ts";
import { type ExecOp, type FileAction, type Input, InputSchema, type Mount, type Op, OpSchema } from "#proto/ops_pb.ts";
import type { LlbEdge, LlbGraph } from "./definition-graph.ts";

type Action = NonNullable<MessageInitShape<typeof OpSchema>["op"]>;
type ActionInit = Extract<Action, { readonly case: "file" }>["value"]["actions"];

const BIND = 0;

/**
 * The same graph of operations that each do one thing: file operations with an action that no Dockerfile has a word for, one by one; commands that give more than their root,
 * as commands on a root that has the files of these mounts, and copies out of it. Throws InvalidParameterError.
 */
export function expandGraph(graph: LlbGraph): LlbGraph {
  const expansion = new Expansion(graph);
  for (const [digest, operation] of graph.operations) expansion.add(digest, operation);
  return {
    ...graph,
    operations: expansion.operations,
    names: expansion.names,
    uncached: expansion.uncached,
    result: expansion.edge(graph.result),
  };
}

/** Whether an action is carried out on an image, as no instruction of a Dockerfile does it. */
export function isLayerAction({ action }: FileAction): boolean {
  if (action.case === "rm") return true;
  return action.case === "mkdir" && ((action.value.mode & 0o7777) !== 0o755 || action.value.owner !== undefined);
}

class Expansion {
  readonly operations = new Map<string, Op>();
  readonly names: Map<string, string>;
  readonly uncached: Set<string>;
  readonly #graph: LlbGraph;
  /** What took the place of an output, by both. */
  readonly #aliases = new Map<string, LlbEdge>();
  readonly #used: ReadonlySet<string>;

  constructor(graph: LlbGraph) {
    this.#graph = graph;
    this.names = new Map(graph.names);
    this.uncached = new Set(graph.uncached);
    const inputs = [...graph.operations.values()].flatMap((operation) => operation.inputs);
    this.#used = new Set([...inputs.map(({ digest, index }) => `${digest} ${index}`), keyOf(graph.result)]);
  }

  edge(edge: LlbEdge): LlbEdge {
    return this.#aliases.get(keyOf(edge)) ?? edge;
  }

  add(digest: string, operation: Op): void {
    const inputs = operation.inputs.map(({ digest: of, index }) => this.edge({ digest: of, index: Number(index) }));
    const { op } = operation;
    if (op.case === "file" && op.value.actions.length > 1 && op.value.actions.some(isLayerAction)) {
      this.#addActions(digest, inputs, op.value.actions);
      return;
    }
    const mounts = op.case === "exec" ? op.value.mounts.filter(isOutput) : [];
    if (op.case === "exec" && mounts.length > 0) this.#addCommand(digest, operation, inputs, op.value, mounts);
    else this.operations.set(digest, create(OpSchema, { ...operation, inputs: inputs.map(inputOf) }));
  }

  #addActions(digest: string, inputs: readonly LlbEdge[], actions: readonly FileAction[]): void {
    const made: LlbEdge[] = [];
    const of = (index: bigint): LlbEdge | undefined => {
      if (index < 0n) return undefined;
      const edge = Number(index) < inputs.length ? inputs[Number(index)] : made[Number(index) - inputs.length];
      if (!edge) throw new InvalidParameterError(`invalid LLB definition: ${digest} has no input ${index}`);
      return edge;
    };
    for (const [at, action] of actions.entries()) {
      const base = of(action.input);
      const other = action.action.case === "copy" ? of(action.secondaryInput) : undefined;
      const edge = this.#put(
        `${digest}/${at}`,
        digest,
        [base, other],
        [
          {
            ...action,
            input: base ? 0n : -1n,
            secondaryInput: other ? BigInt(base ? 1 : 0) : -1n,
            output: 0n,
          },
        ],
      );
      made.push(edge);
      if (action.output >= 0n) this.#aliases.set(keyOf({ digest, index: Number(action.output) }), edge);
    }
  }

  #addCommand(
    digest: string,
    operation: Op,
    inputs: readonly LlbEdge[],
    exec: ExecOp,
    outputs: readonly Mount[],
  ): void {
    const root = exec.mounts.find(({ dest }) => dest === "/");
    if (!root) throw new InvalidParameterError("invalid LLB definition: a command needs a root");
    let base = root.input < 0n ? undefined : inputs[Number(root.input)];
    for (const [at, mount] of outputs.entries()) {
      const source = mount.input < 0n ? undefined : inputs[Number(mount.input)];
      const id = `${digest}/in${at}`;
      // What the mount would hide.
      if (base) base = this.#put(`${id}/rm`, digest, [base], removal(mount.dest));
      base = this.#put(id, digest, [base, source], source ? copyIn(mount, base) : directory(mount.dest, base));
    }
    const whole = [...inputs, ...(base ? [base] : [])];
    const mounts = exec.mounts.flatMap((mount) => {
      if (outputs.includes(mount)) return [];
      return [mount === root ? { ...mount, input: base ? BigInt(inputs.length) : -1n, output: 0n } : mount];
    });
    const ran = `${digest}/run`;
    const op = { case: "exec" as const, value: { ...exec, mounts } };
    this.operations.set(ran, create(OpSchema, { ...operation, inputs: whole.map(inputOf), op }));
    this.#name(ran, digest);
    this.#takeOutputs(digest, { digest: ran, index: 0 }, root, outputs);
  }

  #takeOutputs(digest: string, ran: LlbEdge, root: Mount, outputs: readonly Mount[]): void {
    for (const [at, { dest, output }] of outputs.entries()) {
      const actions = [
        {
          input: -1n,
          secondaryInput: 0n,
          output: 0n,
          action: { case: "copy" as const, value: { src: `${dest}/`, dest: "/", mode: -1, dirCopyContents: true } },
        },
      ];
      const edge = this.#put(`${digest}/out${at}`, digest, [undefined, ran], actions);
      this.#aliases.set(keyOf({ digest, index: Number(output) }), edge);
    }
    const own = { digest, index: Number(root.output) };
    if (root.output < 0n || !this.#used.has(keyOf(own))) return;
    let edge = ran;
    for (const [at, { dest }] of outputs.entries())
      edge = this.#put(`${digest}/root${at}`, digest, [edge], removal(dest));
    this.#aliases.set(keyOf(own), edge);
  }

  #put(id: string, of: string, inputs: readonly (LlbEdge | undefined)[], actions: ActionInit): LlbEdge {
    const given = inputs.flatMap((edge) => (edge ? [inputOf(edge)] : []));
    this.operations.set(
      id,
      create(OpSchema, { inputs: given, op: { case: "file", value: { ...(actions ? { actions } : {}) } } }),
    );
    this.#name(id, of);
    return { digest: id, index: 0 };
  }

  #name(id: string, of: string): void {
    if (this.#graph.uncached.has(of)) this.uncached.add(id);
    const name = this.#graph.names.get(of);
    if (name !== undefined) this.names.set(id, name);
  }
}

function isOutput({ dest, output, readonly, mountType }: Mount): boolean {
  return dest !== "/" && output >= 0n && !readonly && mountType === BIND;
}

function removal(path: string): ActionInit {
  return [{ input: 0n, output: 0n, action: { case: "rm", value: { path, allowNotFound: true } } }];
}

function copyIn({ selector, dest }: Mount, base: LlbEdge | undefined): ActionInit {
  const value = { src: selector || "/", dest, mode: -1, dirCopyContents: true, createDestPath: true };
  const [input, secondaryInput] = base ? [0n, 1n] : [-1n, 0n];
  return [{ input, secondaryInput, output: 0n, action: { case: "copy", value } }];
}

function directory(path: string, base: LlbEdge | undefined): ActionInit {
  const value = { path, mode: 0o755, makeParents: true };
  return [{ input: base ? 0n : -1n, output: 0n, action: { case: "mkdir", value } }];
}

function inputOf({ digest, index }: LlbEdge): Input {
  return create(InputSchema, { digest, index: BigInt(index) });
}

function keyOf({ digest, index }: LlbEdge): string {
  return `${digest} ${index}`;
}
