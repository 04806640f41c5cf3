import { readdirSync } from "node:fs";
import { constants } from "node:os";
import { errorCode } from "#errors/errors.ts";
import { call, callError, cPath, tryCall } from "./libc.ts";
import { O_CLOEXEC } from "./open-flags.ts";
import { onReadable } from "./signal-driven.ts";

/*
 * Bun 1.4.5's fs.watch drops an event that follows another within a millisecond, so the last append to a log file is often
 * never announced (67 of 150 runs of a small test). This is inotify itself. Its descriptor is neither a socket nor a pipe, which
 * Bun could poll, so the kernel is asked to announce readability by a signal, SIGIO (inotify(7), fcntl(2) F_SETOWN_EX): no thread
 * waits and nothing is polled.
 */

const IN_MODIFY = 0x2;
const IN_ATTRIB = 0x4;
const IN_CLOSE_WRITE = 0x8;
const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_DELETE_SELF = 0x400;
const IN_MOVE_SELF = 0x800;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const IN_ONLYDIR = 0x0100_0000;
const IN_MASK_ADD = 0x2000_0000;

// An unlinked file that is still open only changes its link count, hence IN_ATTRIB.
const FILE_EVENTS = IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF;
const DIRECTORY_EVENTS = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR;

const O_NONBLOCK = 0o4000;

/** struct inotify_event without its name: wd, mask, cookie, len; 32 bits each. */
const EVENT_HEADER = 16;
const READ_SIZE = 64 * 1024;

/**
 * Calls `onChange` after the file was appended to, changed, truncated, renamed or deleted; several changes may come as one call.
 * It follows the file, not its name: after a rotation the caller watches the new file. Nothing is announced for what was there
 * before, so: watch first, then read. Throws SystemCallError (ENOENT) when the file does not exist.
 */
export function watchFile(path: string, onChange: () => void): Disposable {
  return theWatcher().add(path, FILE_EVENTS, { notify: onChange, rescan: onChange });
}

/**
 * Calls `onName` with the name of an entry that was created, moved in or out, written and closed, or deleted. Look at the entry
 * to see which. Watch first, then list the directory: that misses nothing. Throws SystemCallError (ENOENT, ENOTDIR).
 */
export function watchDirectory(path: string, onName: (name: string) => void): Disposable {
  return theWatcher().add(path, DIRECTORY_EVENTS, {
    notify: (name) => {
      if (name !== undefined) onName(name);
    },
    rescan: () => {
      for (const name of namesIn(path)) onName(name);
    },
  });
}

/** None when the directory has gone meanwhile: its watch ends with an event of its own. */
function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

interface Listener {
  /** One event; directories name the entry. */
  notify(name: string | undefined): void;
  /** The kernel's queue ran over: anything may have happened. */
  rescan(): void;
}

let watcher: Inotify | undefined;

function theWatcher(): Inotify {
  watcher ??= new Inotify();
  return watcher;
}

/** The process' one inotify instance. */
class Inotify {
  readonly #descriptor: number;
  readonly #buffer: Buffer = Buffer.alloc(READ_SIZE);
  /** By watch descriptor. The kernel has one per file, however often it is watched, and never gives a number twice. */
  readonly #listeners = new Map<number, Set<Listener>>();

  constructor() {
    this.#descriptor = call("inotify_init1", undefined, O_NONBLOCK | O_CLOEXEC);
    onReadable(this.#descriptor, "inotify", () => this.#drain());
  }

  add(path: string, events: number, listener: Listener): Disposable {
    // Another listener of the same file may want other events: add to its mask, do not replace it.
    const watch = call("inotify_add_watch", path, this.#descriptor, cPath(path), events | IN_MASK_ADD);
    const listeners = this.#listeners.get(watch) ?? new Set();
    this.#listeners.set(watch, listeners.add(listener));
    return { [Symbol.dispose]: () => this.#remove(watch, listener) };
  }

  #remove(watch: number, listener: Listener): void {
    const listeners = this.#listeners.get(watch);
    if (!listeners?.delete(listener) || listeners.size > 0) return;
    this.#listeners.delete(watch);
    // Fails when the file is gone and the kernel has dropped the watch itself, which is as good.
    tryCall("inotify_rm_watch", this.#descriptor, watch);
  }

  /** Reads until nothing is left: one signal stands for any number of events. */
  #drain(): void {
    for (;;) {
      const length = tryCall("read", this.#descriptor, this.#buffer, READ_SIZE);
      if (length === -constants.errno.EAGAIN) return;
      if (length <= 0) throw callError("read", length, "inotify");
      for (let offset = 0; offset < length; ) offset += this.#deliver(offset);
    }
  }

  /** Hands out the event at `offset` of the buffer; returns its length. */
  #deliver(offset: number): number {
    const watch = this.#buffer.readInt32LE(offset);
    const mask = this.#buffer.readUInt32LE(offset + 4);
    const nameLength = this.#buffer.readUInt32LE(offset + 12);
    const nameBytes = this.#buffer.subarray(offset + EVENT_HEADER, offset + EVENT_HEADER + nameLength);
    // The name is padded with NUL bytes to a multiple of the header's size.
    const name = nameLength === 0 ? undefined : nameBytes.subarray(0, nameBytes.indexOf(0)).toString("utf8");
    if (mask & IN_Q_OVERFLOW) {
      for (const listeners of this.#listeners.values()) for (const listener of [...listeners]) safely(listener.rescan);
    } else if (mask & IN_IGNORED) {
      this.#listeners.delete(watch);
    } else {
      for (const listener of [...(this.#listeners.get(watch) ?? [])]) safely(() => listener.notify(name));
    }
    return EVENT_HEADER + nameLength;
  }
}

/** One listener's error must not keep the event from the others; it surfaces as an uncaught exception of its own. */
function safely(notify: () => void): void {
  try {
    notify();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
