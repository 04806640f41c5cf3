import { dlopen, type FFIFunction, ptr, read } from "bun:ffi";
import { constants } from "node:os";
import { errorCode, InvalidParameterError, SystemError } from "#errors/errors.ts";

/** A path as text, or as bytes where the name need not be UTF-8. */
export type Path = string | Uint8Array;

/** What a C function takes: strings become NUL-terminated bytes, byte arrays their address, null the null pointer. */
export type CArgument = number | bigint | string | Uint8Array | null;

/** A system call that the kernel refused. `errno` is the symbolic name ("EBUSY"), which is what callers match on. */
export class SystemCallError extends SystemError {
  readonly errno: string;

  constructor(call: string, errno: string, description: string, subject?: string, detail?: string) {
    const on = subject === undefined ? "" : ` "${subject}"`;
    super(`${call}${on}: ${description} (${errno})${detail ? `: ${detail}` : ""}`);
    this.errno = errno;
  }
}

/** Calls that the C library wraps. */
type WrappedCall =
  | "mount"
  | "umount2"
  | "lgetxattr"
  | "lsetxattr"
  | "llistxattr"
  | "getxattr"
  | "listxattr"
  | "readlinkat"
  | "statx"
  | "flock"
  | "mknod"
  | "read"
  | "close"
  | "fcntl"
  | "sync_file_range"
  | "unshare"
  | "setns"
  | "socket"
  | "bind"
  | "getsockname"
  | "setsockopt"
  | "ioctl"
  | "gettid"
  | "prlimit"
  | "madvise"
  | "inotify_init1"
  | "inotify_add_watch"
  | "inotify_rm_watch";

/** Calls that Debian 12's C library has no wrapper for; they go through syscall(2). */
type BareCall = "move_mount" | "fsopen" | "fsconfig" | "fsmount" | "openat2" | "mount_setattr";

export type CallName = WrappedCall | BareCall;

const SIGNATURES: Readonly<Record<WrappedCall, FFIFunction>> = {
  mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
  umount2: { args: ["ptr", "i32"], returns: "i32" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
  getxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "i64" },
  listxattr: { args: ["ptr", "ptr", "u64"], returns: "i64" },
  readlinkat: { args: ["i32", "ptr", "ptr", "u64"], returns: "i64" },
  statx: { args: ["i32", "ptr", "i32", "u32", "ptr"], returns: "i32" },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: "i64" },
  flock: { args: ["i32", "i32"], returns: "i32" },
  mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "u64"], returns: "i64" },
  fcntl: { args: ["i32", "i32", "i64"], returns: "i32" },
  sync_file_range: { args: ["i32", "i64", "i64", "u32"], returns: "i32" },
  unshare: { args: ["i32"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  prlimit: { args: ["i32", "i32", "ptr", "ptr"], returns: "i32" },
  gettid: { args: [], returns: "i32" },
  madvise: { args: ["u64", "u64", "i32"], returns: "i32" },
  inotify_init1: { args: ["i32"], returns: "i32" },
  inotify_add_watch: { args: ["i32", "ptr", "u32"], returns: "i32" },
  inotify_rm_watch: { args: ["i32", "i32"], returns: "i32" },
};

/** All of these are newer than the unified table of numbers, so x86-64 and arm64 agree. */
const SYSCALL_NUMBERS: Readonly<Record<BareCall, number>> = {
  move_mount: 429,
  fsopen: 430,
  fsconfig: 431,
  fsmount: 432,
  openat2: 437,
  mount_setattr: 442,
};

const EINTR = constants.errno.EINTR;

/**
 * Calls the kernel and returns what it returned; a failure comes back as the negated errno, as inside the kernel, for callers
 * that expect some failures. Repeats a call that a signal interrupted.
 */
export function tryCall(name: CallName, ...args: readonly CArgument[]): number {
  const c = library();
  // The buffers must stay reachable while C reads them, hence a variable of their own.
  const buffers = args.map((argument) => (typeof argument === "string" ? terminated(argument) : argument));
  const words = buffers.map((argument) =>
    argument === null ? 0 : typeof argument === "object" ? Number(ptr(argument)) : argument,
  );
  for (;;) {
    const result = isBare(name) ? c.bare(SYSCALL_NUMBERS[name], words) : c.wrapped(name, words);
    if (result !== -1) return result;
    const errno = c.errno();
    if (errno !== EINTR) return -errno;
  }
}

/** Like {@link tryCall}, but throws SystemCallError, naming the call and its `subject` (usually a path), on failure. */
export function call(name: CallName, subject: string | undefined, ...args: readonly CArgument[]): number {
  const result = tryCall(name, ...args);
  if (result < 0) throw callError(name, result, subject);
  return result;
}

/** The error for a negated errno that {@link tryCall} returned. `detail` is what the kernel said beyond the number. */
export function callError(name: string, negatedErrno: number, subject?: string, detail?: string): SystemCallError {
  const { errnoName, description } = describeErrno(-negatedErrno);
  return new SystemCallError(name, errnoName, description, subject, detail);
}

/** The symbolic name ("ENOENT") of what the kernel refused, by a call of ours or of Node's; undefined for any other error. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof SystemCallError ? error.errno : errorCode(error);
}

/** The symbolic name of an error number, such as "EBUSY", and its usual description. */
function describeErrno(errno: number): { errnoName: string; description: string } {
  const errnoName = Object.entries(constants.errno).find(([, value]) => value === errno)?.[0] ?? `errno ${errno}`;
  return { errnoName, description: library().describe(errno).toLowerCase() };
}

/** The bytes of a path, NUL-terminated for C. Throws InvalidParameterError for a path that contains NUL. */
export function cPath(path: Path): Uint8Array {
  return terminated(path);
}

/** A path for messages. */
export function displayPath(path: Path): string {
  return typeof path === "string" ? path : Buffer.from(path).toString("utf8");
}

function terminated(text: Path): Uint8Array {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  // Cut at the first NUL, C would act on another file than the one that was checked.
  if (bytes.includes(0)) throw new InvalidParameterError(`invalid path "${displayPath(bytes)}": contains a NUL byte`);
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

function isBare(name: CallName): name is BareCall {
  return name in SYSCALL_NUMBERS;
}

interface Library {
  bare(number: number, words: readonly (number | bigint)[]): number;
  wrapped(name: WrappedCall, words: readonly (number | bigint)[]): number;
  errno(): number;
  describe(errno: number): string;
}

let loaded: Library | undefined;

/** Loaded on first use: the client never needs it, and the loader compiles a stub per function. */
function library(): Library {
  loaded ??= load();
  return loaded;
}

function load(): Library {
  const wrapped = dlopen("libc.so.6", SIGNATURES).symbols;
  const { syscall, strerror, __errno_location } = dlopen("libc.so.6", {
    // Seven words cover every bare call; the kernel ignores those that a call does not take.
    syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
    strerror: { args: ["i32"], returns: "cstring" },
    __errno_location: { args: [], returns: "ptr" },
  }).symbols;
  return {
    bare: (number, [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]) => Number(syscall(number, a, b, c, d, e, f)),
    wrapped: (name, words) => {
      // All arguments are words by now, so one loose type stands for each function's own.
      const invoke = wrapped[name] as unknown as (...words: readonly (number | bigint)[]) => number | bigint;
      return Number(invoke(...words));
    },
    errno: () => {
      const address = __errno_location();
      return address === null ? 0 : read.i32(address, 0);
    },
    describe: (errno) => String(strerror(errno)),
  };
}
