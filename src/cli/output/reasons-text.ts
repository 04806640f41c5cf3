/** `[3/5] COPY . .: src/app.js changed`. */
export function reasonsText(name: string, reasons: readonly string[]): string {
  return `${name}: ${reasons.join("; ")}`;
}
