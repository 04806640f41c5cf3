import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { BuiltResult } from "#engine/builds/outputs/deliver.ts";
import { CancelledError, NotFoundError } from "#errors/errors.ts";
import { StatusFeed } from "#server/build/status-feed.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import { JobContainers } from "../gateway/job-containers.ts";
import type { SolveResult } from "./dockerfile-solve.ts";
import { OwnVertexes } from "./own-vertexes.ts";
import type { RunningSolve } from "./running-solve.ts";

/** Of the output, bytes that one who asks late still hears: its beginning. */
const MAX_REPLAY = 1024 * 1024;

/** A cancelled step ends in that time, milliseconds. */
const QUIESCENCE = 2000;

/** An image that a solve of a job made. */
export interface SolvedResult {
  readonly image: Digest;
  /** Of what build: two may have made the same image. */
  readonly build: symbol;
}

/** What a client's build function returned: a result that it chose of those that it solved, or an error. */
export type ReturnedResult = { readonly chosen: SolvedResult | undefined } | { readonly error: Error };

/** A solve of the control API: its updates, and what the gateway has built for it. */
export class SolveJob {
  readonly ref: string;
  /** Aborts when the solve has ended, however it did. */
  readonly signal: AbortSignal;
  readonly containers: JobContainers = new JobContainers();
  /** Of all solves. */
  readonly returned: PromiseWithResolvers<ReturnedResult> = Promise.withResolvers<ReturnedResult>();
  /** What a gateway solve failed with: the client returns no more than its text. */
  failure: Error | undefined;
  /** By the references that gateway calls know them by. */
  readonly #results = new Map<string, SolvedResult>();
  /** Builds; their images wait for the client's choice. */
  readonly #builds = new Map<symbol, Promise<SolveResult>>();
  readonly #vertexes: OwnVertexes;
  readonly #controller = new AbortController();
  readonly #running: PromiseWithResolvers<RunningSolve> = Promise.withResolvers<RunningSolve>();
  readonly #deferred: (() => Promise<void>)[] = [];
  readonly #replay: SolveStatus[] = [];
  #replayBytes = 0;
  readonly #feeds = new Set<StatusFeed>();
  #isEnded = false;

  constructor(ref: string) {
    this.ref = ref;
    this.#vertexes = new OwnVertexes(ref);
    this.signal = this.#controller.signal;
    // Nobody may ever ask for it.
    this.returned.promise.catch(() => undefined);
  }

  readonly status: (status: SolveStatus) => void = (told: SolveStatus): void => {
    const status = this.#vertexes.apply(told);
    this.#remember(status);
    for (const feed of this.#feeds) feed.push(status);
  };

  #remember(status: SolveStatus): void {
    const { logs = [], ...rest } = status;
    this.#replayBytes += logs.reduce((sum, { data }) => sum + data.length, 0);
    if (this.#replayBytes <= MAX_REPLAY) this.#replay.push(status);
    else if (Object.keys(rest).length > 0) this.#replay.push(rest);
  }

  /** All updates from the beginning, until the solve ends. */
  async *statuses(signal: AbortSignal): AsyncGenerator<SolveStatus, void, void> {
    const feed = new StatusFeed();
    for (const status of this.#replay) feed.push(status);
    if (this.#isEnded) feed.end();
    else this.#feeds.add(feed);
    const stop = (): void => feed.end();
    signal.addEventListener("abort", stop, { once: true });
    try {
      yield* feed;
    } finally {
      signal.removeEventListener("abort", stop);
      this.#feeds.delete(feed);
    }
  }

  end(): void {
    this.#isEnded = true;
    // Whatever still waits for the client's choice does not any more.
    this.returned.resolve({ chosen: undefined });
    this.#controller.abort();
    void this.#cleanUp();
    for (const feed of this.#feeds) feed.end();
  }

  /** Runs `work` when the solve has ended, after its containers have gone. */
  defer(work: () => Promise<void>): void {
    this.#deferred.push(work);
  }

  async #cleanUp(): Promise<void> {
    await this.containers.releaseAll();
    await Promise.allSettled(this.#deferred.map((work) => work()));
  }

  /** The control API's solve waits for what the gateway will be asked. */
  attach(solve: RunningSolve): void {
    this.#running.resolve(solve);
  }

  /** The solve that waits. Throws CancelledError when it ends without having waited. */
  async running(signal: AbortSignal): Promise<RunningSolve> {
    const ended = Promise.withResolvers<never>();
    const stop = AbortSignal.any([signal, this.signal]);
    const onAbort = (): void => ended.reject(new CancelledError("context canceled"));
    stop.addEventListener("abort", onAbort, { once: true });
    if (stop.aborted) onAbort();
    try {
      return await Promise.race([this.#running.promise, ended.promise]);
    } finally {
      stop.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Begins a build and gives its images as soon as they are made. The build goes on, and keeps them, until the client's function has returned:
   * then those that it chose go where they are wanted.
   */
  async hold(
    build: (onBuilt: (built: BuiltResult) => Promise<boolean>) => Promise<SolveResult>,
  ): Promise<{ readonly built: BuiltResult; readonly build: symbol }> {
    const made = Promise.withResolvers<BuiltResult>();
    const identity = Symbol("build");
    const whole = build(async (built) => {
      made.resolve(built);
      const returned = await this.returned.promise;
      return "chosen" in returned && returned.chosen?.build === identity;
    });
    whole.catch(made.reject);
    this.#builds.set(identity, whole);
    return { built: await made.promise, build: identity };
  }

  /** Waits until what was chosen is where it is wanted and the rest is gone. Gives the build of the chosen result. */
  async settle(chosen: SolvedResult | undefined): Promise<SolveResult | undefined> {
    await Promise.all(this.#builds.values());
    return chosen && (await this.#builds.get(chosen.build));
  }

  /** Waits until builds that were cancelled have said so, so that those who follow the updates hear it. */
  async quiesce(): Promise<void> {
    this.returned.resolve({ chosen: undefined });
    await Promise.race([Promise.allSettled(this.#builds.values()), delay(QUIESCENCE, undefined, { ref: false })]);
  }

  /** A reference for a result. */
  addResult(result: SolvedResult): string {
    const ref = randomUUID();
    this.#results.set(ref, result);
    return ref;
  }

  /** Throws NotFoundError. */
  result(ref: string): SolvedResult {
    const found = this.#results.get(ref);
    if (!found) throw new NotFoundError(`no such ref: ${ref}`);
    return found;
  }
}
