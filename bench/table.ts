import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Peer, PeerName } from "./peers/peer.ts";
import { type Measured, median } from "./rounds.ts";
import { type Row, TABLE_PEERS, type TableName } from "./workloads/workload.ts";

export interface Report {
  readonly command: string;
  readonly rounds: number;
  /** All that took part. */
  readonly peers: readonly Pick<Peer, "name" | "title" | "version">[];
  readonly measured: readonly Measured[];
  /** Absent peers and failed work, a sentence each. */
  readonly notes: readonly string[];
}

const TABLES: readonly TableName[] = ["engines", "builders"];

/** The result as Markdown: what was run where and when, a table for engines and one for builders, and what is missing. */
export function renderTable(report: Report): string {
  const notes = [...new Set(report.measured.flatMap(costOfMiss)), ...report.notes];
  return [
    `\`${report.command}\` on ${today()}: ${machine()}; ${report.peers.map(({ version }) => version).join(", ")}.`,
    `Medians of up to ${report.rounds} rounds, the engines in turn within each round; whole command lines, from the start of the program to the end of`,
    'its output. × is how many times Berth\'s figure it is; "best" the least of the others.',
    ...TABLES.flatMap((name) => renderRows(name, report)),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `- ${note}`)] : []),
    "",
  ].join("\n");
}

function renderRows(name: TableName, { measured, peers }: Report): readonly string[] {
  const rows = measured.filter(({ table }) => table === name);
  if (rows.length === 0) return [];
  const others = peers.filter((peer) => peer.name !== "Berth" && TABLE_PEERS[name].includes(peer.name));
  const header = [name, "Berth", "to reach", ...others.map(({ title }) => title)];
  const rule = header.map((_, index) => (index === 0 ? "---" : "--:"));
  const names = others.map((peer) => peer.name);
  return ["", `| ${header.join(" | ")} |`, `|${rule.join("|")}|`, ...rows.map((row) => renderRow(row, names))];
}

function renderRow(measured: Measured, others: readonly PeerName[]): string {
  const { row } = measured;
  const berth = medianOf(measured, "Berth");
  const cells = others.map((name) => compared(row, medianOf(measured, name), berth));
  const goals = goalsOf(measured).map(({ text, isReached }) => `${text} ${isReached ? "✓" : "✗"}`);
  return `| ${[row.title, show(row, berth), goals.join(", "), ...cells].join(" | ")} |`;
}

function medianOf({ values }: Measured, name: PeerName): number | undefined {
  const known = values.get(name);
  return known && median(known);
}

interface Goal {
  readonly text: string;
  readonly isReached: boolean;
}

/** What the row is to reach, as far as this run can tell. */
function goalsOf(measured: Measured): readonly Goal[] {
  const { row, values } = measured;
  const berth = medianOf(measured, "Berth");
  if (berth === undefined) return [];
  const goals: Goal[] = [];
  if (row.reach !== undefined) goals.push({ text: `≤ ${show(row, row.reach)}`, isReached: berth <= row.reach });
  const others = [...values.keys()]
    .filter((name) => name !== "Berth")
    .flatMap((name) => medianOf(measured, name) ?? []);
  if (row.lead !== undefined && others.length > 0)
    goals.push({ text: `best ≥ ×${row.lead}`, isReached: Math.min(...others) >= row.lead * berth });
  return goals;
}

function costOfMiss(measured: Measured): readonly string[] {
  const { title, costs } = measured.row;
  return costs !== undefined && goalsOf(measured).some(({ isReached }) => !isReached) ? [`${title}: ${costs}`] : [];
}

function show(row: Row, value: number | undefined): string {
  if (value === undefined) return "–";
  if (row.unit === "MB") return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

/** `142 ms ×3.4`. */
function compared(row: Row, value: number | undefined, berth: number | undefined): string {
  const text = show(row, value);
  return value === undefined || berth === undefined ? text : `${text} ×${(value / berth).toFixed(1)}`;
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function machine(): string {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return `${system}, kernel ${release()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`;
}
