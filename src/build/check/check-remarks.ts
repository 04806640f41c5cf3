import type { VertexWarning } from "#spec/solve-status.ts";
import type { BuildProgress } from "../solve/progress.ts";
import { type CheckFinding, findingLine } from "./check-findings.ts";
import type { DockerfileChecks } from "./dockerfile-checks.ts";
import type { CalledFile } from "./frontend-calls.ts";
import { CHECK_RULES } from "./rules.ts";

/** The vertex that warnings about the Dockerfile belong to. */
export function definitionName(dockerfileName: string): string {
  return `[internal] load build definition from ${dockerfileName}`;
}

/** Tells the client of a build what the checks found, each once. */
export class CheckRemarks {
  readonly #checks: DockerfileChecks;
  readonly #file: CalledFile;
  readonly #progress: BuildProgress;
  #shown = 0;

  constructor(checks: DockerfileChecks, file: CalledFile, progress: BuildProgress) {
    this.#checks = checks;
    this.#file = file;
    this.#progress = progress;
  }

  show(): void {
    const name = definitionName(this.#file.name);
    const vertex = this.#progress.vertex(name, name);
    const { findings } = this.#checks;
    vertex.warnOfAll(findings.slice(this.#shown).map((finding) => this.#warning(finding)));
    this.#shown = findings.length;
  }
  #warning(finding: CheckFinding): Omit<VertexWarning, "vertex" | "level"> {
    const { description, url } = CHECK_RULES[finding.rule];
    const { startLine, endLine } = finding.source;
    return {
      short: base64(findingLine(finding)),
      detail: [base64(description)],
      ...(url ? { url } : {}),
      sourceInfo: { filename: this.#file.name, language: "Dockerfile", data: base64(this.#file.bytes) },
      range: [{ start: { line: startLine }, end: { line: endLine } }],
    };
  }
}

function base64(content: string | Uint8Array): string {
  return Buffer.from(content).toString("base64");
}
