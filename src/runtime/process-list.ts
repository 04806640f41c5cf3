import { SystemError } from "#errors/errors.ts";
import { type CommandResult, runCommand } from "#sys/command.ts";

export interface ProcessTable {
  readonly titles: string[];
  readonly processes: string[][];
}

/**
 * What `ps` says of these pids. `args` are the client's, "-ef" when there are none. It is asked for them alone, for a host may have more processes than fit
 * into what is kept of its answer; some options (such as `f`) do not go with that, and then it is asked for all, as by dockerd. Throws SystemError with
 * Docker's words.
 */
export async function listProcesses(pids: readonly number[], args: readonly string[]): Promise<ProcessTable> {
  const asked = args.length > 0 ? args : ["-ef"];
  const ps = (more: readonly string[]): Promise<CommandResult> =>
    runCommand("ps", [...asked, ...more], { okCodes: "any" });
  const ofThese = pids.length > 0 ? await ps([`-q${pids.join()}`]) : undefined;
  const { exitCode, stdout, stderr } = ofThese?.exitCode === 0 ? ofThese : await ps([]);
  // The rest is how to use ps.
  if (exitCode !== 0) throw new SystemError(`ps: ${stderr.trim().split("\n")[0] || `exit status ${exitCode}`}`);
  return selectProcesses(stdout, new Set(pids));
}

/** Takes the table of `ps` apart and keeps the wanted rows. The last column may contain spaces. */
export function selectProcesses(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [header = "", ...rows] = output.split("\n").filter((line) => line.trim() !== "");
  const titles = fields(header);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn === -1) throw new SystemError("Couldn't find PID field in ps output");
  let isWanted = false;
  const processes = rows
    .map((row) => splitRow(row, titles.length))
    .filter((columns) => {
      // A dash stands for a thread of the process before.
      if (columns[pidColumn] !== "-") isWanted = pids.has(Number(columns[pidColumn]));
      return isWanted;
    });
  return { titles, processes };
}

function splitRow(row: string, columns: number): string[] {
  const all = fields(row);
  return [...all.slice(0, columns - 1), all.slice(columns - 1).join(" ")];
}

function fields(line: string): string[] {
  return line.trim().split(/\s+/);
}
