import { alignTabs } from "#formats/tabwriter.ts";
import type { BuildOutline, CheckResult, CheckWarning, SourceLocation, TargetList } from "#spec/build-check.ts";
import { sourceFrameText } from "../build-progress/failure-text.ts";

/**
 * What `--check` prints: how many warnings, then each with its lines of the Dockerfile, by line; what kept it from going on, for stderr.
 * https://github.com/moby/buildkit/blob/master/frontend/subrequests/lint/lint.go
 */
export function checkText(
  result: CheckResult,
  shownName: string | undefined,
): { readonly findings: string; readonly failure: string } {
  const { warnings, buildError } = result;
  const filename = shownName ?? result.sources[0]?.filename ?? "Dockerfile";
  const data = Buffer.from(result.sources[0]?.data ?? "", "base64").toString("utf8");
  const lines = data.replace(/\n$/, "").split("\n");
  const frame = (location: SourceLocation | undefined): string => frameOf(filename, lines, location);
  const count = warnings.length === 1 ? "1 warning has been found!" : `${warnings.length} warnings have been found!`;
  const head = warnings.length === 0 ? "" : `Check complete, ${count}\n`;
  const listed = warnings.toSorted((left, right) => lineOf(left) - lineOf(right));
  const findings = head + listed.map((warning) => warningText(warning, frame(warning.location))).join("");
  if (buildError) {
    const gap = warnings.length > 0 ? "\n" : "";
    return { findings: findings + gap, failure: `ERROR: ${buildError.message}\n${frame(buildError.location)}` };
  }
  return { findings: warnings.length === 0 ? "Check complete, no warnings found.\n" : findings, failure: "" };
}

function warningText({ ruleName, url, detail }: CheckWarning, frame: string): string {
  return `\nWARNING: ${ruleName}${url ? ` - ${url}` : ""}\n${detail ?? ""}\n${frame}`;
}

function lineOf({ location }: CheckWarning): number {
  return location.ranges[0]?.start.line ?? 0;
}

function frameOf(filename: string, lines: readonly string[], location: SourceLocation | undefined): string {
  const range = location?.ranges[0];
  return range ? sourceFrameText(filename, lines, { startLine: range.start.line, endLine: range.end.line }) : "";
}

/** `--call=targets`. */
export function targetsText({ targets }: TargetList): string {
  const rows = targets.map(({ name = "", default: isDefault, description = "" }) => {
    const shown = isDefault ? `${name} (default)`.trim() : name;
    return `${shown}\t${description}\n`;
  });
  return alignTabs(`TARGET\tDESCRIPTION\n${rows.join("")}`);
}

/** `--call=outline`. */
export function outlineText({ name, description, args = [], secrets = [], ssh = [] }: BuildOutline): string {
  const head = [
    ...(name || description ? [`TARGET:\t${name ?? ""}\n`] : []),
    ...(description ? [`DESCRIPTION:\t${description}\n`] : []),
  ];
  const hasDescriptions = args.some((arg) => arg.description);
  const argRows = args.map(
    (arg) => `${arg.name}\t${arg.value ?? ""}${hasDescriptions ? `\t${arg.description ?? ""}` : ""}\n`,
  );
  const mountRows = (list: typeof secrets): string =>
    list.map((mount) => `${mount.name}\t${mount.required ? "true" : ""}\n`).join("");
  const parts = [
    head.length > 0 ? alignTabs(head.join("")) : "",
    args.length > 0 ? alignTabs(`BUILD ARG\tVALUE${hasDescriptions ? "\tDESCRIPTION" : ""}\n${argRows.join("")}`) : "",
    secrets.length > 0 ? alignTabs(`SECRET\tREQUIRED\n${mountRows(secrets)}`) : "",
    ssh.length > 0 ? alignTabs(`SSH\tREQUIRED\n${mountRows(ssh)}`) : "",
  ];
  return parts
    .filter((part) => part !== "")
    .map((part) => `${part}\n`)
    .join("");
}
