import { ConflictError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { SolveJob } from "./solve-job.ts";

/** Calls about a solve may overtake it. As BuildKit's solver, milliseconds. */
const ARRIVAL = 6000;
/** A short solve may end before its client asks for its status. */
const LINGER = 5000;

/** The solves of the moment, by the references that their clients gave them. */
export class SolveJobs {
  readonly #jobs = new Map<string, SolveJob>();
  readonly #arrivals = new EventTarget();

  /** Begins a solve; disposing ends it. Throws InvalidParameterError without a reference, ConflictError while there is one of it. */
  begin(ref: string): Disposable & { readonly job: SolveJob } {
    if (ref === "") throw new InvalidParameterError("a solve needs a ref");
    if (this.#jobs.get(ref)?.signal.aborted === false) throw new ConflictError(`job ID ${ref} exists`);
    const job = new SolveJob(ref);
    this.#jobs.set(ref, job);
    this.#arrivals.dispatchEvent(new Event(ref));
    return {
      job,
      [Symbol.dispose]: () => {
        job.end();
        setTimeout(() => {
          if (this.#jobs.get(ref) === job) this.#jobs.delete(ref);
        }, LINGER).unref();
      },
    };
  }

  /** A solve that runs, has just ended, or is about to begin. Throws NotFoundError. */
  async find(ref: string, signal: AbortSignal): Promise<SolveJob> {
    const found =
      this.#jobs.get(ref) ?? (await this.#arrival(ref, AbortSignal.any([signal, AbortSignal.timeout(ARRIVAL)])));
    if (!found) throw new NotFoundError(`no such job ${ref}`);
    return found;
  }

  #arrival(ref: string, signal: AbortSignal): Promise<SolveJob | undefined> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#arrivals.removeEventListener(ref, done);
        signal.removeEventListener("abort", done);
        resolve(this.#jobs.get(ref));
      };
      this.#arrivals.addEventListener(ref, done);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  }
}
