import { randomInt } from "node:crypto";
import { basename } from "node:path";
import type { BuildMemory, BuildRequest } from "#build/builder.ts";
import { redactUrl } from "#build/context/redact-url.ts";
import type { BuildRecord, BuildStatus, BuildStep, FailedRoot } from "#spec/build-record.ts";
import type { Digest } from "#spec/digest.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { BuildFiles, BuildLog } from "#store/build-files.ts";

const ID_LENGTH = 25;
const ID_CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz";

export interface RunningBuildParts {
  readonly files: BuildFiles;
  /** Steps of former builds of the same, the latest first. */
  readonly former: () => readonly (readonly BuildStep[])[];
  readonly onEnd: (record: BuildRecord) => void;
}

function randomId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_CHARACTERS[randomInt(36)]).join("");
}

/** A build that is being recorded: its memory for the builder, its output on the way to disk, and at the end its record. */
export class RunningBuild implements BuildMemory {
  /** As buildx's references: 25 letters and digits. */
  readonly id: string;
  readonly #request: BuildRequest;
  readonly #parts: RunningBuildParts;
  readonly #log: BuildLog;
  readonly #created = Date.now();
  readonly #steps: BuildStep[] = [];
  readonly #manifests = new Map<Digest, string>();
  #failedRoot: FailedRoot | undefined;
  #former: readonly (readonly BuildStep[])[] | undefined;

  constructor(request: BuildRequest, parts: RunningBuildParts) {
    // The id becomes a file's name.
    this.id = /^[a-z0-9]{25}$/.test(request.id ?? "") && request.id ? request.id : randomId();
    this.#request = request;
    this.#parts = parts;
    this.#log = parts.files.openLog(this.id);
  }

  former(): readonly (readonly BuildStep[])[] {
    this.#former ??= this.#parts.former();
    return this.#former;
  }

  manifest(content: Digest): string | undefined {
    return this.#manifests.get(content) ?? this.#parts.files.manifest(content);
  }

  keepManifest(content: Digest, manifest: string): void {
    this.#manifests.set(content, manifest);
  }

  report(step: BuildStep): void {
    this.#steps.push(step);
  }

  get hasFailedRoot(): boolean {
    return this.#failedRoot !== undefined;
  }

  failed(root: FailedRoot): void {
    this.#failedRoot = root;
  }

  status(status: SolveStatus): void {
    this.#log.line(JSON.stringify(status));
  }

  flushLog(): void {
    this.#log.flush();
  }

  /** The record as it is now. */
  record(): BuildRecord {
    return this.#record({ status: "running" });
  }

  /** Closes the log and hands the record on. */
  end(outcome: { readonly status: BuildStatus; readonly imageId?: string; readonly error?: string }): void {
    this.#log.close();
    for (const [content, manifest] of this.#manifests) this.#parts.files.keepManifest(content, manifest);
    this.#parts.onEnd(this.#record({ ...outcome, completed: Date.now() }));
  }

  #record(state: Pick<BuildRecord, "status"> & Partial<BuildRecord>): BuildRecord {
    const { dockerfileName, target, platforms, tags, buildArgs, labels, noCache } = this.#request;
    return {
      id: this.id,
      name: buildName(this.#request),
      created: this.#created,
      context: sourceOf(this.#request),
      dockerfile: dockerfileName,
      target,
      platform: platforms.join(","),
      tags,
      buildArgs,
      labels,
      noCache,
      steps: this.#steps,
      logSize: this.#log.size,
      ...(this.#failedRoot ? { failedRoot: this.#failedRoot } : {}),
      ...state,
    };
  }
}

/** https://github.com/docker/buildx/blob/master/commands/history/utils.go (BuildName) */
function buildName(request: BuildRequest): string {
  const { dockerfileName, target, buildArgs, tags } = request;
  const source = sourceOf(request);
  const named = buildArgs["BUILDKIT_BUILD_NAME"];
  if (named) return named;
  const base = source === "" || source === "-" ? (tags[0] ?? "-") : basename(source);
  const file = basename(dockerfileName) === "Dockerfile" ? "" : `/${basename(dockerfileName)}`;
  return `${base}${file}${target === "" ? "" : ` (${target})`}`;
}

/** Where the context is, as far as the client said so; records outlive builds, so a URL is kept without its password. */
export function sourceOf({ source, input }: BuildRequest): string {
  return redactUrl(source ?? (input.kind === "remote" ? input.url : ""));
}
