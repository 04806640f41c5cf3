import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Names of the workloads to run, in the table's order. */
  readonly workloads: readonly string[];
  /** Names of the peers that take part, in lower case. */
  readonly peers: readonly string[];
  readonly rounds: number;
  readonly write: boolean;
  /** What was typed behind `npm run bench`. */
  readonly words: readonly string[];
}

const help = (workloads: readonly string[], peers: readonly string[]): string => `Usage: npm run bench -- [OPTIONS]

Measures Berth beside Docker, Podman and Buildah and prints Markdown tables.

  --only WORK   (repeatable) ${workloads.join(", ")}
  --peer NAME   (repeatable) ${peers.join(", ")}
  --rounds N    samples of each peer (default 9)
  --write       put the tables into docs/benchmarks.md too`;

/** Reads the command line. Throws with a text for the user on anything that it does not know, and for `--help`. */
export function readOptions(
  words: readonly string[],
  workloads: readonly string[],
  peers: readonly string[],
): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      only: { type: "string", multiple: true, default: [] },
      peer: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "9" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) throw new Error(help(workloads, peers));
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`--rounds "${values.rounds}": expected a number from 1`);
  return {
    workloads: chosen("--only", values.only, workloads),
    peers: chosen("--peer", values.peer, peers),
    rounds,
    write: values.write,
    words,
  };
}

function chosen(flag: string, names: readonly string[], known: readonly string[]): readonly string[] {
  const stranger = names.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new Error(`${flag} "${stranger}": expected one of ${known.join(", ")}`);
  return names.length === 0 ? known : known.filter((name) => names.includes(name));
}
