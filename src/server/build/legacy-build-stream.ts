import type { PlannedVertex } from "#engine/builds/build-service.ts";
import type { JsonMessage } from "#spec/docker-messages.ts";
import type { BuildFailure, SolveStatus, Vertex } from "#spec/solve-status.ts";

/** What docker's classic builder puts around standard error. */
const BRIGHT_RED = "\u001b[91m";
const PLAIN = "\u001b[0m";

/**
 * Renders a build's progress as the classic builder's text, for clients without BuildKit: scripts read `Step 2/3 : …`, ` ---> Using cache`
 * and the command's output. That text has one step after the other, while steps run side by side: what a later one prints waits for
 * its turn. Metadata is announced, and came from the cache if the step behind it did. Steps have no containers and images that could be named: a layer's id is its step's.
 */
export class LegacyBuildStream {
  #plan: readonly PlannedVertex[] = [];
  /** Index of the step whose turn it is; behind the last when all have ended. */
  #current = -1;
  readonly #vertexes = new Map<string, Vertex>();
  readonly #waiting = new Map<string, JsonMessage[]>();

  /** Takes the steps; to be called before the first update that has one. */
  begin(plan: readonly PlannedVertex[]): JsonMessage[] {
    this.#plan = plan;
    return this.#advance();
  }

  /** The lines that an update adds. */
  update(status: SolveStatus): JsonMessage[] {
    for (const vertex of status.vertexes ?? []) this.#vertexes.set(vertex.digest, vertex);
    const shown: JsonMessage[] = [];
    for (const { vertex, stream, data } of status.logs ?? []) {
      const text = Buffer.from(data, "base64").toString("utf8");
      const message = { stream: stream === 2 ? `${BRIGHT_RED}${text}${PLAIN}` : text };
      if (vertex === this.#plan[this.#current]?.vertex) shown.push(message);
      else this.#waiting.set(vertex, [...(this.#waiting.get(vertex) ?? []), message]);
    }
    return [...shown, ...this.#advance()];
  }

  /** Ends the current step if it has ended, and begins the next ones up to the first that goes on. */
  #advance(): JsonMessage[] {
    const messages: JsonMessage[] = [];
    // Before the plan is known there is nothing to go on to.
    if (this.#plan.length === 0) return messages;
    while (this.#current < this.#plan.length && this.#hasEnded(this.#current)) {
      messages.push(...this.#end(this.#current));
      const next = this.#plan[++this.#current];
      if (next) messages.push(...this.#begin(next));
    }
    return messages;
  }

  #hasEnded(index: number): boolean {
    const step = this.#plan[index];
    if (step?.vertex === undefined) return isMetadata(step) ? this.#isDecided(index) : true;
    const state = this.#vertexes.get(step.vertex);
    return state?.completed !== undefined && !state.error;
  }

  /** Whether it is known if the metadata came from the cache: when the next step that does something has begun, or there is none. */
  #isDecided(index: number): boolean {
    const next = this.#workBehind(index);
    return next === undefined || this.#vertexes.get(next)?.started !== undefined;
  }

  #workBehind(index: number): string | undefined {
    return this.#plan.slice(index + 1).find((step) => !isMetadata(step))?.vertex;
  }

  #begin({ text, vertex }: PlannedVertex): JsonMessage[] {
    const header = { stream: `Step ${this.#current + 1}/${this.#plan.length} : ${text}` };
    const waiting = this.#waiting.get(vertex ?? "") ?? [];
    this.#waiting.delete(vertex ?? "");
    return [header, { stream: "\n" }, ...waiting];
  }

  #end(index: number): JsonMessage[] {
    const step = this.#plan[index];
    if (!step) return [];
    const work = isMetadata(step) ? this.#workBehind(index) : step.vertex;
    const using = work && this.#vertexes.get(work)?.cached ? [{ stream: " ---> Using cache\n" }] : [];
    const result = step.vertex ?? step.image;
    return [...using, ...(result === undefined ? [] : [{ stream: ` ---> ${shortId(result)}\n` }])];
  }
}

function isMetadata(step: PlannedVertex | undefined): boolean {
  return step !== undefined && step.vertex === undefined && step.image === undefined;
}

/** https://github.com/moby/moby/blob/master/daemon/builder/dockerfile/buildargs.go */
export function legacyWarnings(unusedArgs: readonly string[]): JsonMessage[] {
  if (unusedArgs.length === 0) return [];
  const text = `[Warning] One or more build-args [${unusedArgs.join(" ")}] were not consumed\n`;
  return [{ stream: `${BRIGHT_RED}${text}${PLAIN}` }];
}

/** What the classic builder prints last. */
export function legacySuccess(imageId: string, familiarTags: readonly string[]): JsonMessage[] {
  return [
    { aux: { ID: imageId } },
    { stream: `Successfully built ${shortId(imageId)}\n` },
    ...familiarTags.map((tag) => ({ stream: `Successfully tagged ${tag}\n` })),
  ];
}

const MISSING_SOURCE = /checksum of ref [^"]*"\/?([^"]*)": not found$/;
const FAILED_COMMAND = /^failed to solve: process "(.*)" did not complete successfully: exit code: (\d+)$/s;

/** What BuildKit puts before the registry's own words. */
const UNRESOLVED_BASE = /^failed to solve: \S+: failed to resolve source metadata for \S+: /;

/** The header of the instruction whose image could not be had: nothing was shown yet. */
export function legacyHeader({ step }: BuildFailure): JsonMessage[] {
  return step ? [{ stream: `Step ${step.number}/${step.count} : ${step.text}` }, { stream: "\n" }] : [];
}

/** Before what kept a command from beginning. */
const NOT_BEGUN = /^process "(?:[^"\\]|\\.)*" did not complete successfully: /s;

/** A failure in the classic builder's words. Its message has no `aux`: docker's client passes over the error of one that has. */
export function legacyFailure({ message, code }: BuildFailure): JsonMessage {
  const text = legacyFailureText(message);
  return { errorDetail: { ...(code === undefined ? {} : { code }), message: text }, error: text };
}

function legacyFailureText(message: string): string {
  const [, command, exitCode] = FAILED_COMMAND.exec(message) ?? [];
  if (command !== undefined) {
    return `The command '${unquoted(command)}' returned a non-zero code: ${exitCode}`;
  }
  const [, path] = MISSING_SOURCE.exec(message) ?? [];
  if (path === undefined)
    return message
      .replace(UNRESOLVED_BASE, "")
      .replace(/^failed to solve: /, "")
      .replace(NOT_BEGUN, "");
  return `COPY failed: file not found in build context or excluded by .dockerignore: stat ${path}: file does not exist`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** What Go's %q has made of a text, without its quotes. */
function unquoted(text: string): string {
  return text.replace(/\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))/gs, (_, byte, short, long, letter) => {
    const code = byte ?? short ?? long;
    return code === undefined ? (ESCAPES[letter] ?? letter) : String.fromCodePoint(Number.parseInt(code, 16));
  });
}

function shortId(digest: string): string {
  return digest.replace(/^sha256:/, "").slice(0, 12);
}
