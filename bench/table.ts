import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { PeerName } from "./peers/peer.ts";
import { type Measured, median } from "./rounds.ts";
import { type Row, TABLE_PEERS, type TableName } from "./workloads/workload.ts";

export interface Report {
  readonly command: string;
  readonly rounds: number;
  readonly versions: readonly string[];
  readonly measured: readonly Measured[];
  /** Absent peers and failed work, a sentence each. */
  readonly notes: readonly string[];
}

const TABLES: readonly TableName[] = ["engines", "builders"];

/** The result as Markdown: what was run where and when, a table for engines and one for builders, and what is missing. */
export function renderTable(report: Report): string {
  const notes = [...report.measured.flatMap(costOfMiss), ...report.notes];
  return [
    `\`${report.command}\` on ${today()}: ${machine()}; ${report.versions.join(", ")}. Medians of up to ${report.rounds} rounds, the engines in turn`,
    "within each round; whole command lines, from the start of the program to the end of its output. × is the ratio to Berth.",
    ...TABLES.flatMap((name) => renderRows(name, report.measured)),
    ...(notes.length > 0 ? ["", ...notes.map((note) => `- ${note}`)] : []),
    "",
  ].join("\n");
}

function renderRows(name: TableName, measured: readonly Measured[]): readonly string[] {
  const rows = measured.filter(({ table }) => table === name);
  if (rows.length === 0) return [];
  const others = TABLE_PEERS[name].filter((peer) => peer !== "Berth");
  const header = ["work", "Berth", "to reach", ...others.flatMap((peer) => [peer, "×"])];
  const rule = header.map((_, index) => (index === 0 ? "---" : "--:"));
  return ["", `| ${header.join(" | ")} |`, `|${rule.join("|")}|`, ...rows.map((row) => renderRow(row, others))];
}

function renderRow({ row, values }: Measured, others: readonly PeerName[]): string {
  const medianOf = (name: PeerName): number | undefined => {
    const known = values.get(name);
    return known && median(known);
  };
  const berth = medianOf("Berth");
  const cells = [row.title, show(row, berth), reached(row, berth)];
  for (const name of others) {
    const other = medianOf(name);
    cells.push(show(row, other), ratio(other, berth));
  }
  return `| ${cells.join(" | ")} |`;
}

function costOfMiss({ row, values }: Measured): readonly string[] {
  const known = values.get("Berth");
  if (!known || row.reach === undefined || row.costs === undefined || median(known) <= row.reach) return [];
  return [`${row.title}: ${row.costs}`];
}

function show(row: Row, value: number | undefined): string {
  if (value === undefined) return "–";
  if (row.unit === "MB") return `${value.toFixed(value < 10 ? 1 : 0)} MB`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

function reached(row: Row, value: number | undefined): string {
  if (row.reach === undefined) return "";
  const goal = `≤ ${show(row, row.reach)}`;
  if (value === undefined) return goal;
  return `${goal} ${value <= row.reach ? "✓" : "✗"}`;
}

function ratio(other: number | undefined, berth: number | undefined): string {
  return other === undefined || berth === undefined ? "" : (other / berth).toFixed(1);
}

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function machine(): string {
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux";
  return `${system}, kernel ${release()}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB`;
}
