import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeCgroups } from "../harness/cgroups.ts";

const SCRIPT = join(import.meta.dirname, "own-machine.sh");
const PREFIX = "berth-test-run-";
const OWNER = "owner";

/**
 * The directory of one test run. Each of its programs has what looks like a machine of its own: namespaces for processes, mounts and network, and a
 * /tmp. Subnets, ports, bridges and nft tables of other programs, of other engines and of runs that somebody killed are not there; and when a
 * program ends, or this process is killed, the kernel takes away all that it made, whatever state it is in. Files and cgroups alone can stay.
 */
export class OwnMachines {
  readonly directory: string;
  #count = 0;

  constructor(parent: string = tmpdir()) {
    this.directory = mkdtempSync(join(parent, PREFIX));
    writeFileSync(join(this.directory, OWNER), `${process.pid} ${startOf(process.pid)}`);
  }

  /** The command line that runs `command` in one, and the directory that is its /tmp. */
  wrap(command: readonly string[]): { readonly words: readonly string[]; readonly temporary: string } {
    this.#count += 1;
    const temporary = join(this.directory, String(this.#count));
    mkdirSync(temporary, { mode: 0o1777 });
    const words = [
      // It ends with this process, and the namespaces' first process with it.
      ...["setpriv", "--pdeathsig", "KILL"],
      ...["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"],
      ...["bash", SCRIPT, temporary, ...command],
    ];
    return { words, temporary };
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Removes what runs left whose process is dead. Returns their directories. */
export function removeKilledRuns(parent: string = tmpdir()): string[] {
  const directories = readdirSync(parent)
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => join(parent, name));
  const dead = directories.filter((directory) => existsSync(join(directory, OWNER)) && !isOwned(directory));
  for (const directory of dead) {
    for (const { name } of readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      removeProgram(join(directory, name));
    }
    rmSync(directory, { recursive: true, force: true });
  }
  return dead;
}

/** What is left of one program: files, and the cgroups of the engines whose directories these are. */
export function removeProgram(temporary: string): void {
  for (const name of readdirSync(temporary)) {
    const engine = createHash("sha256")
      .update(join("/tmp", name, "data"))
      .digest("hex")
      .slice(0, 8);
    for (const group of [engine, name]) removeCgroups(`berth-${group}`);
  }
  rmSync(temporary, { recursive: true, force: true });
}

function isOwned(directory: string): boolean {
  const [pid = "", start] = readFileSync(join(directory, OWNER), "utf8").split(" ");
  return startOf(Number(pid)) === start;
}

/** When a process began, in ticks since the machine did: with it a number names no other process later. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .at(19);
  } catch {
    return undefined;
  }
}
