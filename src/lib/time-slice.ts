/** How long synchronous work may hold the event loop, in milliseconds. */
const SLICE = 4;

/**
 * Lets a long loop of synchronous calls give way to the event loop now and then. For work of microseconds a piece, where a
 * thread pool's round trip per call would cost ten times the call.
 *
 *     const slice = new TimeSlice();
 *     for (const path of paths) {
 *       if (slice.isOver()) await slice.next();
 *       total += lstatSync(path).size;
 *     }
 */
export class TimeSlice {
  #end: number = performance.now() + SLICE;

  isOver(): boolean {
    return performance.now() >= this.#end;
  }

  /** Resolves after everything else that waits has had its turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#end = performance.now() + SLICE;
  }
}
