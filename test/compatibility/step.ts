/** One command of the tour. `{dir}` in its words is the tour's directory. */
export interface Step {
  readonly args: readonly string[];
  readonly stdin?: string;
  /** The lines of its output have no order of their own. */
  readonly unordered: boolean;
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
 * Steps from command lines: words at blanks, `'…'` keeps a word together, `~` before a line says that its output has no order. Enough for a
 * tour, which has no quotes inside quotes.
 */
export function steps(lines: string): readonly Step[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const unordered = line.startsWith("~ ");
      const [command = "", stdin] = line.replace(/^~ /, "").split(" <<< ");
      const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
      return { args, unordered, ...(stdin === undefined ? {} : { stdin: `${stdin}\n` }) };
    });
}
