import { randomBytes } from "node:crypto";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { KeyLock } from "#lib/key-lock.ts";
import type { ContextEntryLine, ContextHeader, ContextOffer } from "#spec/berth-api.ts";
import { checkedLines, readOffer } from "./context-lines.ts";
import { ContextShelf, type ContextUsage, type ShelfOptions, type Snapshot } from "./context-shelf.ts";
import { emptyContext, type OpenContext, openPackContext } from "./open-context.ts";
import type { PackFile } from "./pack-file.ts";
import { receiveFiles } from "./receive-files.ts";
import type { StoredEntry } from "./stored-entry.ts";

/**
 * How much before the walk a file must have changed for its times to vouch for its content. The kernel stamps files by its tick, 10 ms
 * at most: two changes within one tick look the same. Git calls such entries racy. https://git-scm.com/docs/racy-git
 */
const RACY_MS = 20;
/** Offers that nobody builds from are dropped, the oldest first. */
const MAX_OFFERS = 64;

/** A context that a client described: complete once nothing of it is missing. */
interface Offer {
  readonly header: ContextHeader;
  readonly lines: readonly ContextEntryLine[];
  readonly missing: readonly number[];
  /** What the engine had when the offer came: entries not missing have their content there. Retained. */
  readonly base: Snapshot | undefined;
  /** Set when nothing is missing any more. Retained. */
  complete: { readonly snapshot: Snapshot; readonly transferred: number } | undefined;
}

/**
 * Build contexts as clients left them, so that the next build of a directory sends only what changed since. Flow: `offer` tells what is
 * missing, `receive` takes it, `open` gives the files to one build. Entries and packs are immutable once made, so that builds of one
 * directory may overlap. Losing all of it is harmless: the client sends again.
 */
export class ContextStore {
  readonly #shelf: ContextShelf;
  readonly #locks = new KeyLock();
  readonly #offers = new Map<string, Offer>();

  /** Uses `directory` for itself and drops what an earlier boot left there. Throws SystemError. */
  constructor(options: ShelfOptions) {
    this.#shelf = new ContextShelf(options);
  }

  /** Reads a header and entry lines (NDJSON, see spec/berth-api.ts). Throws InvalidParameterError for anything out of order. */
  async offer(body: AsyncIterable<Uint8Array>): Promise<ContextOffer> {
    const { header, lines } = await readOffer(body);
    return this.#offer(header, lines);
  }

  /** As `offer`, for entries that came some other way, sorted bytewise by path. They are checked here. */
  offerEntries(header: ContextHeader, lines: readonly ContextEntryLine[]): Promise<ContextOffer> {
    return this.#offer(header, checkedLines(lines));
  }

  async #offer(header: ContextHeader, lines: readonly ContextEntryLine[]): Promise<ContextOffer> {
    const base = this.#shelf.find(header.key);
    const missing = missingFiles(lines, base?.entries ?? []);
    base?.pack.retain();
    const offer: Offer = { header, lines, missing, base, complete: undefined };
    const contents = offeredContents(lines, missing);
    if (!contents) return { id: this.#remember(offer), missing };
    try {
      // Nothing to keep of a Dockerfile without files.
      if (!isDockerfileOnly(offer)) await this.#complete(offer, contents);
    } catch (error) {
      release(offer);
      throw error;
    }
    return { id: this.#remember(offer), missing: [] };
  }

  /**
   * Takes the contents of the missing files, concatenated in the order of the offer. Throws NotFoundError for an unknown id,
   * InvalidParameterError when the stream has not the length that the offer said; the offer is void then.
   */
  async receive(id: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    if (this.#offers.get(id)?.complete) throw new InvalidParameterError(`build context ${id} is complete already`);
    const offer = this.#take(id);
    try {
      await this.#complete(offer, body);
    } catch (error) {
      release(offer);
      throw error;
    }
    this.#offers.set(id, offer);
  }

  /**
   * The complete context, for one build. Throws NotFoundError for an unknown id, InvalidParameterError while contents are missing.
   */
  open(id: string): OpenContext {
    const offer = this.#take(id);
    const dockerfile =
      offer.header.dockerfile === undefined ? undefined : Buffer.from(offer.header.dockerfile, "base64");
    try {
      if (dockerfile && isDockerfileOnly(offer)) return emptyContext(dockerfile);
      if (!offer.complete) throw new InvalidParameterError(`build context ${id} has not been received`);
      const { snapshot, transferred } = offer.complete;
      const ignoreFile = offer.header.ignoreFile && Buffer.from(offer.header.ignoreFile, "base64").toString("utf8");
      return openPackContext(snapshot.entries, snapshot.pack, {
        transferred,
        ignoreFile,
        ...(dockerfile ? { dockerfile } : {}),
      });
    } finally {
      release(offer);
    }
  }

  /** What is kept, or of that what was not used since `before` (ms since the epoch), and what it costs on disk. */
  usage(before: number = Number.POSITIVE_INFINITY): readonly ContextUsage[] {
    return this.#shelf.usage(before);
  }

  /** Drops what was not used since `before` (ms since the epoch; default: everything). Returns the bytes freed. Running builds read on. */
  prune(before: number = Number.POSITIVE_INFINITY): number {
    return this.#shelf.prune(before);
  }

  /** Drops the contexts of these keys. Returns the bytes freed. Running builds read on. */
  drop(keys: readonly string[]): number {
    return this.#shelf.drop(keys);
  }

  /** Closes all files; the directory stays for the next engine. */
  close(): void {
    for (const offer of this.#offers.values()) release(offer);
    this.#offers.clear();
    this.#shelf.close();
  }

  #remember(offer: Offer): string {
    const [oldest] = this.#offers;
    if (oldest && this.#offers.size >= MAX_OFFERS) {
      this.#offers.delete(oldest[0]);
      release(oldest[1]);
    }
    const id = randomBytes(16).toString("hex");
    this.#offers.set(id, offer);
    return id;
  }

  #take(id: string): Offer {
    const offer = this.#offers.get(id);
    if (!offer) throw new NotFoundError(`No such build context: ${id}`);
    this.#offers.delete(id);
    return offer;
  }

  /** Appends what is missing and makes the new snapshot the one that the next offer is compared with. */
  async #complete(offer: Offer, body: AsyncIterable<Uint8Array>): Promise<void> {
    using _alone = await this.#locks.acquire(offer.header.key);
    const isSame = offer.missing.length === 0 && offer.base !== undefined && isSameTree(offer);
    if (isSame && offer.base) {
      this.#shelf.touch(offer.header.key);
      offer.base.pack.retain();
      offer.complete = { snapshot: offer.base, transferred: 0 };
      return;
    }
    // What is known lies in the base's pack; without one any pack of the key will do.
    const earlier = offer.base?.pack ?? this.#shelf.find(offer.header.key)?.pack;
    earlier?.retain();
    const pack = earlier ?? this.#shelf.newPack(offer.header.key);
    try {
      const { entries, transferred } = await receiveEntries(offer, pack, body);
      const snapshot = await this.#shelf.put(offer.header.key, { entries, pack });
      snapshot.pack.retain();
      offer.complete = { snapshot, transferred };
    } catch (error) {
      if (!earlier) pack.remove();
      throw error;
    } finally {
      pack.release();
    }
  }
}

function isDockerfileOnly({ header, lines }: Offer): boolean {
  return lines.length === 0 && header.dockerfile !== undefined;
}

function release(offer: Offer): void {
  offer.base?.pack.release();
  offer.complete?.snapshot.pack.release();
}

/** The contents of the missing files, as a body has them; undefined unless all of them came along. */
function offeredContents(
  lines: readonly ContextEntryLine[],
  missing: readonly number[],
): AsyncIterable<Uint8Array> | undefined {
  const contents: Buffer[] = [];
  for (const index of missing) {
    const content = lines[index]?.c;
    if (content === undefined) return undefined;
    contents.push(Buffer.from(content, "base64"));
  }
  return bodyOf(contents);
}

async function* bodyOf(contents: readonly Buffer[]): AsyncGenerator<Uint8Array, void, undefined> {
  for (const content of contents) if (content.length > 0) yield content;
}

/** Indices of the files whose content is not known. Both lists are sorted by path. */
function missingFiles(lines: readonly ContextEntryLine[], known: readonly StoredEntry[]): readonly number[] {
  const missing: number[] = [];
  let at = 0;
  for (const [index, line] of lines.entries()) {
    if (line.t !== "f") continue;
    while ((known[at]?.path ?? line.p) < line.p) at++;
    const entry = known[at];
    if (entry?.path !== line.p || !isUnchanged(entry, line)) missing.push(index);
  }
  return missing;
}

/** Whether `line` says that the file is still the one whose content we have. */
function isUnchanged(known: StoredEntry, line: ContextEntryLine): boolean {
  return (
    known.type === "file" &&
    known.size === line.s &&
    known.mtime === line.mt &&
    known.ctime === line.ct &&
    known.inode === line.i
  );
}

function isSameTree({ base, lines }: Offer): boolean {
  return (
    base !== undefined &&
    base.entries.length === lines.length &&
    base.entries.every((entry, index) => {
      const line = lines[index];
      if (line?.p !== entry.path || TYPES[line.t] !== entry.type || line.m !== entry.mode) return false;
      return line.mt === entry.mtime && (line.l ?? "") === entry.linkname;
    })
  );
}

const TYPES = { f: "file", d: "directory", l: "symlink" } as const;

async function receiveEntries(
  offer: Offer,
  pack: PackFile,
  body: AsyncIterable<Uint8Array>,
): Promise<{ readonly entries: readonly StoredEntry[]; readonly transferred: number }> {
  const { lines, missing, header } = offer;
  await using appender = await pack.appender();
  const start = appender.position;
  const sizes = missing.map((index) => lines[index]?.s ?? 0);
  const received = await receiveFiles(sizes, body, appender);
  appender.commit();
  const known = new Map(offer.base?.entries.map((entry) => [entry.path, entry]));
  const contents = new Map(missing.map((index, at) => [index, received[at]]));
  const entries = lines.map((line, index): StoredEntry => {
    const content = contents.get(index) ?? known.get(line.p);
    return {
      path: line.p,
      type: TYPES[line.t],
      mode: line.m,
      size: line.s,
      mtime: line.mt,
      linkname: line.l ?? "",
      // A racy file never compares equal, and so is sent again.
      ctime: line.ct >= header.walked - RACY_MS ? Number.NaN : line.ct,
      inode: line.i,
      offset: line.t === "f" ? (content?.offset ?? 0) : 0,
      ...(line.t === "f" && content?.digest ? { digest: content.digest } : {}),
    };
  });
  return { entries, transferred: appender.position - start };
}
