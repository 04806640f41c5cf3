import { readFileSync, writeFileSync } from "node:fs";
import { PassThrough, Writable } from "node:stream";
import type { RuntimeProcess } from "#spec/oci-runtime.ts";
import { RootDirectory } from "#sys/beneath.ts";
import { childExit, startChild } from "#sys/command.ts";
import { readProcess } from "#sys/process-info.ts";
import { spawnOnTerminal } from "#sys/pseudo-terminal.ts";
import { capabilitySets, resolveCapabilities } from "../bundle/capabilities.ts";
import { parseConfig, serialiseConfig, withHome } from "../bundle/oci-spec.ts";
import type { BundleFiles } from "../bundle-files.ts";
import { ComplaintFilter } from "../complaint-filter.ts";
import type { ExecProcess, ExecSpec, TerminalSize } from "../container-runtime.ts";
import type { HostFacts } from "../host-facts.ts";
import type { LowLevelRuntime } from "../oci/low-level-runtime.ts";
import { resolveUserIn } from "../rootfs-preflight.ts";
import { StartError } from "../start-error.ts";
import { ExecFiles } from "./files.ts";
import { execLimits } from "./limits.ts";

const SIGKILL = 9;
/** Bytes of output that wait for a reader before a program on a terminal has to. */
const MOST_WAITING = 1024 * 1024;
const DEFAULT_SIZE: TerminalSize = { rows: 24, columns: 80 };

/**
 * Runs one more process in a container, by `runc exec` as a child of the engine. It ends with the engine, as Docker's does.
 * Throws InvalidParameterError with Docker's words when the user does not exist; a command that cannot run is told on the stream.
 */
export function startExec(spec: ExecSpec, files: BundleFiles, runtime: LowLevelRuntime, host: HostFacts): ExecProcess {
  const work = new ExecFiles(files.directory, spec.args[0] ?? "");
  try {
    const process = execProcessSpec(spec, files, host);
    const args = [
      ...[...runtime.globalArgs, "--log", work.log, "--log-format", "json"],
      ...["exec", "--process", work.process, "--pid-file", work.pid],
      ...(spec.terminal ? ["--tty"] : []),
      spec.containerId,
    ];
    const canRaise = !host.ceilings.has("RLIMIT_NOFILE");
    const { rlimits, onStart } = execLimits(runtime.program, process.rlimits ?? [], canRaise);
    writeFileSync(work.process, serialiseConfig({ ...process, rlimits }), { mode: 0o600 });
    const started = (spec.terminal ? startOnTerminal : startOnPipes)(runtime.program.path, args, spec, work);
    if (onStart) work.onPid(started.exitCode, onStart);
    return started;
  } catch (error) {
    work.remove();
    throw error;
  }
}

/** What the container's own process may do, for another user, command and directory. */
function execProcessSpec(spec: ExecSpec, files: BundleFiles, host: HostFacts): RuntimeProcess {
  using root = new RootDirectory(spec.rootfs);
  const config = parseConfig(readFileSync(files.config, "utf8"));
  const user = resolveUserIn(root, spec.user, spec.groupAdd ?? []);
  const names = spec.privileged
    ? resolveCapabilities({ privileged: true, add: [], drop: [] }, host.capabilities)
    : config.process.capabilities.bounding;
  const { rlimits, noNewPrivileges, apparmorProfile } = config.process;
  return {
    terminal: spec.terminal,
    // runc also copies the size of its own terminal, but only when the process runs already and may have asked.
    ...(spec.terminal ? { consoleSize: consoleSize(spec.terminalSize ?? DEFAULT_SIZE) } : {}),
    user: { uid: user.uid, gid: user.gid, additionalGids: user.additionalGids },
    args: spec.args,
    env: withHome(spec.env, user.home),
    cwd: spec.cwd || "/",
    capabilities: capabilitySets(names, user.uid, []),
    noNewPrivileges,
    ...(rlimits ? { rlimits } : {}),
    ...(apparmorProfile ? { apparmorProfile } : {}),
  };
}

function consoleSize({ rows, columns }: TerminalSize): { readonly height: number; readonly width: number } {
  return { height: rows, width: columns };
}

function startOnPipes(program: string, args: readonly string[], spec: ExecSpec, work: ExecFiles): ExecProcess {
  const child = startChild(program, args, { stdio: [spec.openStdin ? "pipe" : "ignore", "pipe", "pipe"] });
  child.stdin?.on("error", () => undefined);
  const stderr = new ComplaintFilter(() => passWhenStarted(stderr, work, exitCode));
  const stdout = new PassThrough();
  child.stdout?.pipe(stdout, { end: false });
  child.stderr?.pipe(stderr, { end: false });
  const exitCode = childExit(child, program).then(
    (code) => {
      const failure = work.failure(code);
      // Docker writes it to stdout, whatever is attached.
      if (failure) stdout.write(`${failure.message}\r\n`);
      stdout.end();
      stderr.decide(failure ? new Uint8Array() : undefined);
      return failure ? exitCodeOf(failure) : code;
    },
    (error) => {
      work.remove();
      stdout.end();
      stderr.decide(undefined);
      throw error;
    },
  );
  return {
    get pid() {
      return work.readPid() ?? child.pid ?? 0;
    },
    stdin: child.stdin ?? undefined,
    stdout,
    stderr,
    exitCode,
    started: () => work.started(exitCode),
    resize: () => undefined,
    kill: (signal) => killExec(work, child.pid, signal),
    killGroup: () => killExec(work, child.pid, SIGKILL, "group"),
  };
}

function startOnTerminal(program: string, args: readonly string[], spec: ExecSpec, work: ExecFiles): ExecProcess {
  const { rows, columns } = spec.terminalSize ?? DEFAULT_SIZE;
  // runc makes its terminal raw too, but only when output may have passed already.
  const terminal = spawnOnTerminal(program, args, { rows, columns, raw: true });
  const stdout = new ComplaintFilter(() => passWhenStarted(stdout, work, exitCode));
  terminal.onData((data) => {
    stdout.write(Buffer.from(data));
    if (stdout.writableLength + stdout.readableLength < MOST_WAITING) return;
    // Whoever looks at it does not read: a terminal that is stopped makes the program wait.
    terminal.pause();
    stdout.once("drain", () => terminal.resume());
  });
  const exitCode = terminal.exited.then((code) => {
    const failure = work.failure(code);
    stdout.decide(failure ? Buffer.from(`${failure.message}\r\n`) : undefined);
    return failure ? exitCodeOf(failure) : code;
  });
  const stdin = new Writable({
    write(chunk, _encoding, done) {
      terminal.write(chunk);
      done();
    },
  });
  return {
    get pid() {
      return work.readPid() ?? terminal.pid;
    },
    stdin: spec.openStdin ? stdin : undefined,
    stdout,
    stderr: undefined,
    exitCode,
    started: () => work.started(exitCode),
    resize: (size) => terminal.resize(size.rows, size.columns),
    kill: (signal) => killExec(work, terminal.pid, signal),
    killGroup: () => killExec(work, terminal.pid, SIGKILL, "group"),
  };
}

function passWhenStarted(filter: ComplaintFilter, work: ExecFiles, ended: Promise<unknown>): void {
  work.started(ended).then(
    () => filter.pass(),
    // A complaint it was: the end decides.
    () => undefined,
  );
}

/** The runtime gives each exec a session of its own: runc makes its process the leader, crun one that is gone. */
function groupOf(pid: number): number {
  const group = readProcess(pid)?.processGroup ?? pid;
  return group === readProcess(process.pid)?.processGroup ? pid : group;
}

function exitCodeOf(failure: Error): number {
  return failure instanceof StartError ? failure.exitCode : 126;
}

/** Milliseconds between looks for the pid of a process that runs already, and how often to look. */
const PID_DELAY = 5;
const PID_LOOKS = 200;

/**
 * runc passes signals on, but cannot pass on SIGKILL: that must hit the process itself. runc tells its pid only after it runs, so a
 * process may be heard of before it can be killed.
 */
function killExec(
  work: ExecFiles,
  runtimePid: number | undefined,
  signal: number,
  whom: "process" | "group" = "process",
  looks: number = PID_LOOKS,
): void {
  const own = work.readPid();
  if (own === undefined && signal === SIGKILL && looks > 0 && !work.isRemoved) {
    setTimeout(() => killExec(work, runtimePid, signal, whom, looks - 1), PID_DELAY);
    return;
  }
  const pid = own ?? (signal === SIGKILL ? undefined : runtimePid);
  if (pid === undefined) return;
  try {
    process.kill(whom === "group" ? -groupOf(pid) : pid, signal);
  } catch {
    // It has ended.
  }
}
