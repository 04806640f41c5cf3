/** One command of the tour. In its words `{dir}` is the tour's directory, `{registry}` the address of a registry. */
export interface Step {
  readonly args: readonly string[];
  readonly stdin?: string;
  /** The file that is its input. */
  readonly stdinFile?: string;
  /** The lines of its output have no order of their own. */
  readonly unordered: boolean;
  /** What comes after it does not wait for it: it takes long and leaves nothing. */
  readonly beside: boolean;
}

/** What the command did, with ids, times and addresses made equal. */
export interface StepResult {
  /** The words joined: names the step in `differences.ts` and in the document. */
  readonly step: string;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Steps from command lines: words at blanks, `'…'` keeps a word together, `<<< text` is its input, `< path` a file that is. Before a line, `~` says that its output has no
 * order, `&` that nothing waits for it. Enough for a tour, which has no quotes inside quotes.
 */
export function steps(lines: string): readonly Step[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, mark, rest = ""] = /^([~&] )?(.*)$/.exec(line) ?? [];
      const [command = "", stdin] = rest.split(" <<< ");
      const [words = "", stdinFile] = command.split(" < ");
      const args = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
      return {
        args,
        unordered: mark === "~ ",
        beside: mark === "& ",
        ...(stdin === undefined ? {} : { stdin: `${stdin}\n` }),
        ...(stdinFile === undefined ? {} : { stdinFile }),
      };
    });
}
