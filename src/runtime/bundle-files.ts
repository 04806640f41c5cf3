import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { integer, object, text } from "#lib/json-decoder.ts";
import { isAlive, type ProcessIdentity, readProcess } from "#sys/process-info.ts";

/**
 * What the engine needs to know of a container that it finds running after a restart. Start times tell a process from a later one
 * with the same pid. Kept in the bundle, which lies on tmpfs like the runtime's own state: after a reboot both are gone, as the
 * container is. So nothing here needs fsync.
 */
export interface BundleRecord {
  /** Start times mean nothing under another boot (sys/process-info.ts). Absent in what the first engines wrote. */
  readonly boot?: string;
  readonly container: ProcessIdentity;
  readonly conmon: ProcessIdentity;
  readonly rootfs: string;
}

const decodeProcess = object<ProcessIdentity>({ pid: integer, startTime: integer }, { pid: 0, startTime: -1 });
const decodeRecord = object<BundleRecord>(
  { boot: text, container: decodeProcess, conmon: decodeProcess, rootfs: text },
  { container: { pid: 0, startTime: -1 }, conmon: { pid: 0, startTime: -1 }, rootfs: "" },
);

/** The names of the files in a bundle directory. */
export class BundleFiles {
  /** Of the container. */
  readonly id: string;
  readonly directory: string;

  constructor(bundleDirectory: string, id: string) {
    this.id = id;
    this.directory = join(bundleDirectory, id);
  }

  get config(): string {
    return join(this.directory, "config.json");
  }
  get pidFile(): string {
    return join(this.directory, "pid");
  }
  get conmonPidFile(): string {
    return join(this.directory, "conmon.pid");
  }
  get runtimeLog(): string {
    return join(this.directory, "runtime.log");
  }
  /** conmon's FIFO for sizes of the terminal; not there without one. */
  get windowSize(): string {
    return join(this.directory, "winsz");
  }
  /** conmon's control FIFO: "2 0 0" reopens the log. */
  get control(): string {
    return join(this.directory, "ctl");
  }
  /** Made by conmon (in its `--persist-dir`) when the kernel killed a process of the container for want of memory. */
  get oom(): string {
    return join(this.directory, "oom");
  }
  /** The absolute path of the cgroup that the container's own lies in; only where that is not the engine's. */
  get cgroupParent(): string {
    return join(this.directory, "cgroup-parent");
  }
  /** /dev/shm of a container that shares it: a mount (shared-memory.ts). */
  get sharedMemory(): string {
    return join(this.directory, "shm");
  }
  /** Limits to be changed while the container runs. */
  get resources(): string {
    return join(this.directory, "resources.json");
  }
  /** Which runtime the container is made with (oci/bundle-runtimes.ts). */
  get runtime(): string {
    return join(this.directory, "runtime.json");
  }
  get record(): string {
    return join(this.directory, "berth.json");
  }

  writeRecord(record: BundleRecord): void {
    writeFileSync(this.record, JSON.stringify(record), { mode: 0o600 });
  }

  /** Undefined when there is none. */
  readRecord(): BundleRecord | undefined {
    const written = readJson(this.record);
    return written === undefined ? undefined : decodeRecord(written, "");
  }

  readConmonPid(): number | undefined {
    const pid = Number.parseInt(readIfThere(this.conmonPidFile) ?? "", 10);
    return Number.isNaN(pid) ? undefined : pid;
  }
}

/** Identity of a process that was just started; a start time of -1 matches no process, when it has ended already. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startTime: readProcess(pid)?.startTime ?? -1 };
}

/** Sends a signal to exactly that process. False when it has ended. */
export function signalProcess(process_: ProcessIdentity, signal: number): boolean {
  if (!isAlive(process_)) return false;
  try {
    process.kill(process_.pid, signal);
    return true;
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
    throw error;
  }
}

/** What a file of ours says; undefined when there is none, or an engine was killed in the middle of writing it. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readIfThere(path) ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
