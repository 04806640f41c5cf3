import { createReadStream } from "node:fs";
import type { BuildRequest } from "#build/builder.ts";
import { errorCode, errorMessage, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf, isDigest } from "#formats/digest.ts";
import type { BuildRecord, BuildStep, BuildSummary, FailedRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { BuildFiles } from "#store/build-files.ts";
import type { BuildRecordStore, BuildRow } from "#store/build-records.ts";
import { PlannedBuild } from "./planned-build.ts";
import { RunningBuild, sourceOf } from "./running-build.ts";

/** How much of the past is kept; the oldest builds go first. */
export interface HistoryLimits {
  readonly maxEntries: number;
  /** Milliseconds. */
  readonly maxAge: number;
  /** Bytes of all logs together. */
  readonly maxLogBytes: number;
}

const DAY = 24 * 60 * 60 * 1000;
export const DEFAULT_HISTORY_LIMITS: HistoryLimits = { maxEntries: 1000, maxAge: 90 * DAY, maxLogBytes: 1024 ** 3 };

/** Former builds that a missing step is looked for in: one that failed early says nothing of the steps behind. */
const FORMER_BUILDS = 5;
/** Builds that advice is made from. */
const ADVISING_BUILDS = 20;

export interface HistoryChange {
  readonly kind: "started" | "completed" | "deleted";
  readonly id: string;
}

export interface BuildHistoryParts {
  readonly rows: BuildRecordStore;
  readonly files: BuildFiles;
  readonly limits: HistoryLimits;
  /** Told of records that could not be written. */
  readonly warn: (message: string) => void;
}

/**
 * The builds of this engine: those that run, and records of those that have ended, with their whole output. A record costs its build no commit:
 * it is written a moment later, and a crash before that loses the record and nothing else.
 */
export class BuildHistory {
  readonly #parts: BuildHistoryParts;
  readonly #running = new Map<string, RunningBuild>();
  readonly #listeners = new Set<(change: HistoryChange) => void>();
  #finished: (Omit<BuildRow, "pinned"> & { readonly files: readonly Digest[] })[] = [];

  constructor(parts: BuildHistoryParts) {
    this.#parts = parts;
  }

  /** A build that begins now. End it, however it ends. */
  begin(request: BuildRequest): RunningBuild {
    const lineage = lineageOf(request);
    const { id = "", ...anonymous } = request;
    const isTaken = id === "" || this.#running.has(id) || this.#parts.rows.find(id) !== undefined;
    const build: RunningBuild = new RunningBuild(isTaken ? anonymous : request, {
      files: this.#parts.files,
      former: () => this.#former(lineage),
      onEnd: (record) => this.#ended(lineage, record),
    });
    this.#running.set(build.id, build);
    this.#tell({ kind: "started", id: build.id });
    return build;
  }

  /** Calls `listener` whenever a build begins or ends or its record goes, until the result is disposed. */
  listen(listener: (change: HistoryChange) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** For a build that is only planned. */
  planner(request: BuildRequest): PlannedBuild {
    const { files } = this.#parts;
    const lineage = lineageOf(request);
    return new PlannedBuild(
      () => this.#former(lineage),
      (content) => files.manifest(content),
    );
  }

  /** Of a build that runs or has ended. Throws NotFoundError. */
  summary(id: string): BuildSummary {
    return summaryOf(this.find(id));
  }

  /** The latest first, running ones before all others. */
  list(limit: number = Number.MAX_SAFE_INTEGER): BuildSummary[] {
    this.#write();
    const running = [...this.#running.values()].map((build) => build.record()).reverse();
    const ended = this.#parts.rows.latest(limit).map(recordOf);
    return [...running, ...ended].slice(0, limit).map(summaryOf);
  }

  /**
   * The record that `reference` means: an id, the beginning of one, `^N` for the N-th before the latest, "" for the latest. Throws
   * NotFoundError, InvalidParameterError for a beginning that several have.
   */
  find(reference: string): BuildRecord {
    this.#write();
    const running = this.#running.get(reference);
    if (running) return running.record();
    const back = /^\^(\d+)$/.exec(reference)?.[1] ?? (reference === "" ? "0" : undefined);
    const rows =
      back === undefined
        ? this.#parts.rows.startingWith(reference)
        : this.#parts.rows.latest(1, Number.parseInt(back, 10));
    if (rows.length > 1)
      throw new InvalidParameterError(`build reference "${reference}" is ambiguous: give more of it`);
    if (!rows[0]) {
      const what = back === "0" ? "no builds yet" : `no build record "${reference}": see berth build history ls`;
      throw new NotFoundError(what);
    }
    return recordOf(rows[0]);
  }

  /** The builds of the same Dockerfile, context and target as `request`'s, the latest first. */
  ofRequest(request: BuildRequest): BuildRecord[] {
    this.#write();
    const rows = this.#parts.rows.ofLineage(lineageOf(request), ADVISING_BUILDS);
    return rows.map(recordOf);
  }

  /** The list of files behind a content digest, where it was kept. */
  manifest(content: Digest): string | undefined {
    return this.#parts.files.manifest(content);
  }

  /** Of the failed build before `id`, the layer that kept what its step had changed: nothing needs it when another build has failed. */
  supersededRoot(id: string): Digest | undefined {
    this.#write();
    for (const build of this.#parts.rows.latest(ADVISING_BUILDS).map(recordOf)) {
      if (build.id !== id && build.failedRoot) return build.failedRoot.layers.at(-1);
    }
    return undefined;
  }

  /** The latest build whose failed step left a root, or the one that `reference` means. Throws NotFoundError. */
  findFailed(reference: string): BuildRecord & { readonly failedRoot: FailedRoot } {
    this.#write();
    const records = reference === "" ? this.#parts.rows.latest(ADVISING_BUILDS).map(recordOf) : [this.find(reference)];
    for (const { failedRoot, ...record } of records) if (failedRoot) return { ...record, failedRoot };
    throw new NotFoundError(
      reference === ""
        ? "no build with a failed RUN is recorded"
        : `no RUN of build ${reference} failed: there is nothing to debug`,
    );
  }

  /** The whole output: a SolveStatus as JSON per line. Of a running build, what there is so far. */
  log(id: string): AsyncIterable<Uint8Array> {
    this.#running.get(id)?.flushLog();
    return readOrNothing(this.#parts.files.logPath(id));
  }

  /** Removes records and logs. Running builds stay. Throws as `find`, before anything is removed. */
  remove(references: readonly string[]): string[] {
    const ids = references
      .map((reference) => this.find(reference))
      .map(({ id, status }) => {
        if (status === "running") throw new InvalidParameterError(`cannot remove build ${id}: it is still running`);
        return id;
      });
    this.#remove(ids);
    return ids;
  }

  removeAll(): string[] {
    this.#write();
    const ids = [...this.#parts.rows.ids()];
    this.#remove(ids);
    return ids;
  }

  /** Keeps a record until it is removed, or no longer. Throws as `find`, InvalidParameterError for a build that runs. */
  pin(reference: string, pinned: boolean): void {
    const { id, status } = this.find(reference);
    if (status === "running") throw new InvalidParameterError(`cannot pin build ${id}: it is still running`);
    this.#parts.rows.pin(id, pinned);
    this.#tell({ kind: "completed", id });
  }

  /** Removes the logs of builds that a crash ended. */
  sweep(): void {
    this.#parts.files.sweep((id) => this.#running.has(id) || this.#parts.rows.find(id) !== undefined);
  }

  /** Writes what is still to be written. */
  close(): void {
    this.#write();
  }

  #former(lineage: string): readonly (readonly BuildStep[])[] {
    this.#write();
    const rows = this.#parts.rows.ofLineage(lineage, FORMER_BUILDS);
    return rows.map((row) => recordOf(row).steps);
  }

  #ended(lineage: string, record: BuildRecord): void {
    const { id, created, completed = Date.now(), logSize: size } = record;
    const files = [...new Set(record.steps.flatMap(contentsOf))];
    this.#running.delete(id);
    this.#finished.push({ id, lineage, created, completed, size, record: JSON.stringify(record), files });
    // Whoever asks sees it at once.
    this.#parts.rows.soon(() => this.#write());
    this.#tell({ kind: "completed", id });
  }

  #write(): void {
    if (this.#finished.length === 0) return;
    const rows = this.#finished;
    this.#finished = [];
    try {
      this.#parts.rows.insert(rows);
      this.#forgetOld();
    } catch (error) {
      // As after a crash. Neither a timer nor who asks for other builds could do anything about it.
      const ids = rows.map(({ id }) => id).join(", ");
      this.#parts.warn(`cannot record the builds ${ids}: ${errorMessage(error)}`);
    }
  }

  /** Keeps the history within its limits. */
  #forgetOld(): void {
    const { maxEntries, maxAge, maxLogBytes } = this.#parts.limits;
    const totals = this.#parts.rows.totals();
    const tooOld = Date.now() - maxAge;
    if (totals.count <= maxEntries && totals.bytes <= maxLogBytes && totals.oldest >= tooOld) return;
    let { count, bytes } = totals;
    const going: string[] = [];
    for (const { id, size, created } of this.#parts.rows.oldest()) {
      if (count <= maxEntries && bytes <= maxLogBytes && created >= tooOld) break;
      // The build that has just ended stays, whatever its log took.
      if (count === 1) break;
      going.push(id);
      count--;
      bytes -= size;
    }
    this.#remove(going);
  }

  #remove(ids: readonly string[]): void {
    const orphans = this.#parts.rows.remove(ids);
    this.#parts.files.removeLogs(ids);
    this.#parts.files.removeManifests(orphans);
    for (const id of ids) this.#tell({ kind: "deleted", id });
  }

  #tell(change: HistoryChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** What tells the builds of one Dockerfile from others. A client that does not say what it builds is known by the first name it gives. */
function lineageOf(request: BuildRequest): string {
  const { tags, dockerfileName, target, platforms } = request;
  const platform = platforms.join(",");
  return lineageText({ context: sourceOf(request), tags, dockerfile: dockerfileName, target, platform });
}

function lineageText(build: Pick<BuildRecord, "context" | "tags" | "dockerfile" | "target" | "platform">): string {
  const { context, tags, dockerfile, target, platform } = build;
  const origin = context === "" || context === "-" ? ["tag", tags[0] ?? ""] : ["context", context];
  return digestOf(JSON.stringify([...origin, dockerfile, target.toLowerCase(), platform]));
}

/** What `#ended` wrote. */
function recordOf({ record, pinned }: BuildRow): BuildRecord {
  return { ...(JSON.parse(record) as BuildRecord), ...(pinned ? { pinned } : {}) };
}

function contentsOf({ inputs, kind }: BuildStep): readonly Digest[] {
  if (inputs === "" || kind === "from") return [];
  const { inputs: used } = JSON.parse(inputs) as { readonly inputs: { readonly content?: readonly string[] } };
  return (used.content ?? []).filter(isDigest);
}

function summaryOf({ steps, ...rest }: BuildRecord): BuildSummary {
  return { ...rest, stepCount: steps.length, cachedSteps: steps.filter(({ outcome }) => outcome === "cached").length };
}

async function* readOrNothing(path: string): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (error) {
    // A build that printed nothing has no file.
    if (errorCode(error) !== "ENOENT") throw error;
  }
}
