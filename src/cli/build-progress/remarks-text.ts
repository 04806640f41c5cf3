import type { VertexWarning } from "#spec/solve-status.ts";
import { reasonsText } from "../output/reasons-text.ts";
import { sourceFrameText } from "./failure-text.ts";
import { paint } from "./progress-colors.ts";
import type { ProgressTrace } from "./progress-trace.ts";

export interface RemarksOptions {
  readonly isDebug: boolean;
  /** Parameters of the escape sequence; "" for none. */
  readonly warningColor: string;
}

/** What is said below a build: its warnings as buildx lists them, then why steps ran that were cached before. */
export function remarksText(trace: ProgressTrace, options: RemarksOptions): string {
  return warningSummary(trace.warnings, options) + reasonSummary(trace);
}

/** ` 2 warnings found (use docker --debug to expand):` and one line each, or "". */
function warningSummary(warnings: readonly VertexWarning[], { isDebug, warningColor }: RemarksOptions): string {
  if (warnings.length === 0) return "";
  const count = warnings.length === 1 ? "1 warning found" : `${warnings.length} warnings found`;
  const head = `${count}${isDebug ? "" : " (use docker --debug to expand)"}:\n`;
  const lines = warnings.map((warning) => ` - ${text(warning.short)}\n${isDebug ? details(warning) : ""}`);
  return `\n ${paint(head, warningColor)}${lines.join("")}`;
}

function details({ detail = [], url, sourceInfo, range }: VertexWarning): string {
  const lines = sourceInfo ? text(sourceInfo.data).replace(/\n$/, "").split("\n") : [];
  const [first] = range ?? [];
  return [
    ...detail.map((line) => `${text(line)}\n`),
    ...(url ? [`More info: ${url}\n`] : []),
    ...(sourceInfo && first
      ? [sourceFrameText(sourceInfo.filename, lines, { startLine: first.start.line, endLine: first.end.line })]
      : []),
    "\n",
  ].join("");
}

function text(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}

/** ` 2 steps ran that were cached before:` and why, a line each, or "". */
function reasonSummary(trace: ProgressTrace): string {
  const explained = [...trace.all.values()].filter(({ vertex }) => (vertex.reasons ?? []).length > 0);
  if (explained.length === 0) return "";
  const count = explained.length === 1 ? "1 step" : `${explained.length} steps`;
  const lines = explained.map(({ vertex }) => ` - ${reasonsText(vertex.name, vertex.reasons ?? [])}\n`);
  return `\n Why ${count} ran:\n${lines.join("")}`;
}
