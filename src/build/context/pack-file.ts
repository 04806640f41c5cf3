import { closeSync, fstatSync, openSync, readSync, unlinkSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { DataLossError, errorMessage, SystemError } from "#errors/errors.ts";

/** Reads of small files fetch this much at once: in the order of the entries the next ones lie right behind. */
const WINDOW_BYTES = 1024 * 1024;
/** Files from this size on are read on their own. */
const OWN_READ_BYTES = 128 * 1024;

/**
 * The contents of a context's files, one after another. Bytes once written below `length` never change, so that any number of builds may
 * read while one appends. Close it by `release`, once per `retain` (its maker holds the first).
 */
export class PackFile {
  readonly path: string;
  readonly #fd: number;
  #length: number;
  #holders = 1;
  #isRemoved = false;
  readonly #onClose: () => void;

  private constructor(path: string, fd: number, length: number, onClose: () => void) {
    this.path = path;
    this.#fd = fd;
    this.#length = length;
    this.#onClose = onClose;
  }

  /** A new, empty pack. Throws SystemError. */
  static create(path: string, onClose: () => void = () => {}): PackFile {
    return new PackFile(path, openFile(path, "wx+"), 0, onClose);
  }

  /** A pack without a name: nothing of it stays, even after a crash. `path` is where its bytes lie meanwhile. */
  static createAnonymous(path: string): PackFile {
    const pack = PackFile.create(path);
    pack.remove();
    return pack;
  }

  /**
   * An earlier pack whose first `length` bytes count. Throws DataLossError when it is shorter, SystemError when it is gone. There must be
   * one object per path, or two would append at the same place: see ContextShelf.
   */
  static open(path: string, length: number, onClose: () => void): PackFile {
    const fd = openFile(path, "r+");
    if (fstatSync(fd).size < length) {
      closeSync(fd);
      throw new DataLossError(`build context pack ${path} is shorter than its index says`);
    }
    return new PackFile(path, fd, length, onClose);
  }

  get length(): number {
    return this.#length;
  }

  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders > 0) return;
    closeSync(this.#fd);
    this.#onClose();
  }

  /** Takes the name away; who holds the pack reads on. */
  remove(): void {
    if (!this.#isRemoved) unlinkSync(this.path);
    this.#isRemoved = true;
  }

  /** Starts appending behind what counts. One appender at a time: the caller holds the lock of the context. */
  async appender(): Promise<PackAppender> {
    // Through /proc because a removed pack has no name any more.
    const handle = await open(`/proc/self/fd/${this.#fd}`, "r+");
    // What an earlier process wrote and did not commit.
    await handle.truncate(this.#length);
    return new PackAppender(handle, this.#length, (length) => {
      this.#length = length;
    });
  }

  /** Reads exactly `size` bytes at `offset`. Throws DataLossError when they are not there. */
  read(offset: number, size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    this.#fill(bytes, offset);
    return bytes;
  }

  /** The same in pieces, each in `buffer` if one is given, else in memory of its own. */
  async *stream(offset: number, size: number, buffer?: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
    const most = buffer?.length ?? WINDOW_BYTES;
    for (let done = 0; done < size; done += most) {
      const length = Math.min(most, size - done);
      const piece = buffer?.subarray(0, length) ?? Buffer.allocUnsafe(length);
      this.#fill(piece, offset + done);
      yield piece;
    }
  }

  #fill(bytes: Uint8Array, offset: number): void {
    // The number of a closed descriptor may be another file's by now.
    if (this.#holders <= 0) throw new SystemError(`build context pack ${this.path} is closed: its build has ended`);
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0)
        throw new DataLossError(`build context pack ${this.path} ends before byte ${offset + bytes.length}`);
      done += count;
    }
  }
}

/** Appends to a pack. What it wrote counts only after `commit`; without that, disposing takes it back. */
export class PackAppender implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #publish: (length: number) => void;
  #position: number;
  #committed: number;

  constructor(handle: FileHandle, position: number, publish: (length: number) => void) {
    this.#handle = handle;
    this.#position = position;
    this.#committed = position;
    this.#publish = publish;
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#position);
      done += bytesWritten;
      this.#position += bytesWritten;
    }
  }

  commit(): void {
    this.#committed = this.#position;
    this.#publish(this.#position);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#committed < this.#position) await this.#handle.truncate(this.#committed);
    } finally {
      await this.#handle.close();
    }
  }
}

/** Reads of one build: keeps the last window, so that a directory of small files costs one read. */
export class PackReader {
  readonly #pack: PackFile;
  #window: Buffer = Buffer.alloc(0);
  #windowStart = 0;

  constructor(pack: PackFile) {
    this.#pack = pack;
  }

  /** A view that stays valid: windows are never overwritten. */
  read(offset: number, size: number): Uint8Array {
    if (size >= OWN_READ_BYTES) return this.#pack.read(offset, size);
    const start = offset - this.#windowStart;
    if (start >= 0 && start + size <= this.#window.length) return this.#window.subarray(start, start + size);
    this.#window = this.#pack.read(offset, Math.max(size, Math.min(WINDOW_BYTES, this.#pack.length - offset)));
    this.#windowStart = offset;
    return this.#window.subarray(0, size);
  }
}

function openFile(path: string, flags: string): number {
  try {
    return openSync(path, flags, 0o600);
  } catch (cause) {
    throw new SystemError(`cannot open build context pack ${path}: ${errorMessage(cause)}`, { cause });
  }
}
