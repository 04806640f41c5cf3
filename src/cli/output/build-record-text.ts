/** Records of builds as readable text. */
import { humanSize } from "#formats/go-units.ts";
import { alignTabs } from "#formats/tabwriter.ts";
import type { BuildRecord, BuildStatus, BuildStep } from "#spec/build-record.ts";
import { reasonsText } from "./reasons-text.ts";
import { rfc3339 } from "./texts.ts";

const STATUS: Readonly<Record<BuildStatus, string>> = {
  running: "Running",
  completed: "Completed",
  error: "Error",
  canceled: "Canceled",
};

export function statusText(status: BuildStatus): string {
  return STATUS[status];
}

/** Milliseconds as `1.2s`, `1m 02s`. */
export function seconds(milliseconds: number): string {
  const total = Math.max(0, milliseconds) / 1000;
  if (total < 60) return `${total.toFixed(1)}s`;
  return `${Math.floor(total / 60)}m ${String(Math.floor(total % 60)).padStart(2, "0")}s`;
}

/** `build history inspect`: the build, its steps, and why each of them ran. */
export function buildRecordText(record: BuildRecord): string {
  const steps = record.steps.filter(({ kind }) => kind !== "from");
  const cached = steps.filter(({ outcome }) => outcome === "cached").length;
  const share = steps.length === 0 ? "" : ` (${Math.round((cached * 100) / steps.length)}% cached)`;
  const fields: readonly (readonly [string, string])[] = [
    ["Name", record.name],
    ["Build ID", record.id],
    ["Context", record.context],
    ["Dockerfile", record.dockerfile],
    ["Target", record.target],
    ["Platform", record.platform],
    ["Tags", record.tags.join(", ")],
    ["Build args", pairs(record.buildArgs)],
    ["Labels", pairs(record.labels)],
    ["Started", rfc3339(Math.floor(record.created / 1000))],
    ["Duration", seconds((record.completed ?? Date.now()) - record.created)],
    ["Status", statusText(record.status)],
    ["Error", record.error?.replaceAll("\n", " ") ?? ""],
    ["Image", record.imageId ?? ""],
    ["Build steps", `${steps.length}${share}`],
    ["Log", `${humanSize(record.logSize)}: berth build history logs ${record.id}`],
  ];
  const head = fields.filter(([, value]) => value !== "").map(([name, value]) => `${name}:\t${value}\n`);
  return `${alignTabs(head.join(""))}\nSteps:\n${record.steps.map(stepText).join("")}`;
}

/** `build --explain`: each step with all that went into its key. */
export function explanationText(record: BuildRecord): string {
  return record.steps.map((step) => `${stepText(step)}${keyInputs(step)}`).join("\n");
}

function stepText(step: BuildStep): string {
  const { name, outcome, reasons, started, completed, size, kind } = step;
  const time = outcome === "cached" ? "CACHED" : `${outcome.toUpperCase()} ${seconds(completed - started)}`;
  const layer = kind === "from" || size === undefined ? "" : ` ${humanSize(size)}`;
  const head = ` ${kind === "from" ? "FROM" : time}${layer}`.padEnd(20);
  const line = name.replaceAll("\n", "\\n");
  return `${head} ${reasons.length > 0 ? reasonsText(line, reasons) : line}\n`;
}

interface KeyRecord {
  readonly operation?: Readonly<Record<string, unknown>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
}

function keyInputs(step: BuildStep): string {
  if (step.inputs === "") return "";
  const parsed = JSON.parse(step.inputs) as KeyRecord & Readonly<Record<string, unknown>>;
  const { operation, inputs } = step.kind === "from" ? { operation: parsed, inputs: {} } : parsed;
  const lines = [...Object.entries(operation ?? {}), ...Object.entries(inputs ?? {})].flatMap(([name, value]) =>
    inputLines(name, value, step.sources ?? []),
  );
  const key = step.key === undefined ? [] : [`key  ${step.key}`];
  return [...key, ...lines].map((line) => `      ${line}\n`).join("");
}

/** One line a value; lists of words in one, but for environment and content, which have one line an entry. */
function inputLines(name: string, value: unknown, sources: readonly string[]): string[] {
  if (value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return [];
  if (name === "content" && Array.isArray(value)) {
    return value.map((digest, index) => `content of ${sources[index] ?? index}  ${String(digest)}`);
  }
  if (name === "env" && Array.isArray(value)) return value.map((variable) => `env  ${String(variable)}`);
  return [`${name}  ${typeof value === "string" ? value : JSON.stringify(value)}`];
}

function pairs(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}
