/** A command of the tree, by the module that has it. */
import type { Command } from "../grammar/command.ts";
import type { Leaf } from "../grammar/command-tree.ts";

type Loader = () => Promise<{ readonly command: Command }>;

/** A command with its line in the help; it is loaded when it is used. */
export function leaf(name: string, about: string, load: Loader): Leaf {
  return { name, about, load: async () => (await load()).command };
}

/** One of docker's that Berth refuses, and why. */
export function refused(name: string, about: string, reason: string): Leaf {
  const load = async (): Promise<Command> =>
    (await import("../commands/system/not-supported.ts")).notSupported(about, reason);
  return { name, about, hidden: true, load };
}

export const NO_SWARM: string =
  "This node is not a swarm manager. Berth runs the containers of one host: it has no swarm mode, and nothing to join";
