import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";

/** One walk that was recorded: what it was of, and what dockerd did. */
interface Recorded<T> {
  readonly of: string;
  readonly result: T;
}

/**
 * What dockerd did, kept in `recorded/NAME.json`: walking it takes longer than walking Berth, and comes to the same every time. A walk is taken from there as long
 * as its input, the scripts that walk it, dockerd, its clients and busybox are those of the recording; else it is walked anew, beside Berth. BERTH_RECORD=1 walks all
 * and writes the file. What surprises is for the caller to look at again, without it.
 */
export class Recording<T> {
  readonly #name: string;
  readonly #sources: readonly string[];
  readonly #kept: Readonly<Record<string, Recorded<T>>>;

  constructor(name: string, sources: readonly string[]) {
    this.#name = name;
    this.#sources = sources.map((source) => readFileSync(join(import.meta.dirname, source), "utf8"));
    this.#kept = existsSync(this.#path) ? JSON.parse(readFileSync(this.#path, "utf8")) : {};
  }

  /** What dockerd does in each walk of `inputs`; `walk` has it do those that are not recorded. */
  async results(
    inputs: Readonly<Record<string, unknown>>,
    walk: (names: readonly string[]) => Promise<Readonly<Record<string, T>>>,
  ): Promise<Readonly<Record<string, T>>> {
    const isRecording = process.env["BERTH_RECORD"] === "1";
    const known = Object.keys(inputs).filter((name) => !isRecording && this.#has(name, inputs[name]));
    const missing = Object.keys(inputs).filter((name) => !known.includes(name));
    if (missing.length > 0 && !isRecording) {
      process.stderr.write(`${this.#name}: dockerd walks ${missing.length}, which are not recorded so\n`);
    }
    const walked = missing.length > 0 ? await walk(missing) : {};
    if (isRecording) this.#write(inputs, walked);
    const kept = known.flatMap((name) => {
      const one = this.#kept[name];
      return one ? [[name, one.result] as const] : [];
    });
    return { ...Object.fromEntries(kept), ...walked };
  }

  get #path(): string {
    return join(import.meta.dirname, "recorded", `${this.#name}.json`);
  }

  #has(name: string, input: unknown): boolean {
    return this.#kept[name]?.of === this.#hash(input);
  }

  #write(inputs: Readonly<Record<string, unknown>>, walked: Readonly<Record<string, T>>): void {
    const all = Object.entries(walked).map(([name, result]) => [name, { of: this.#hash(inputs[name]), result }]);
    writeFileSync(this.#path, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  }

  #hash(input: unknown): string {
    const all = JSON.stringify([programs(), this.#sources, input]);
    return createHash("sha256").update(all).digest("hex").slice(0, 16);
  }
}

/** The programs that the result depends on: by their sizes, which hardly stay in another version. */
function programs(): readonly unknown[] {
  const docker = ["docker", "dockerd", "containerd", "cli-plugins/docker-buildx", "cli-plugins/docker-compose"];
  const paths = [...docker.map((name) => join(CURRENT_DOCKER, name)), "/bin/busybox", "/usr/sbin/runc"];
  return [
    ...paths.map((path) => (existsSync(path) ? statSync(path).size : 0)),
    existsSync("/sys/fs/cgroup/cgroup.controllers"),
  ];
}
