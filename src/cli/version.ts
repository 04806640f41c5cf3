/** What `npm run build` stamps into the binary (`bun build --define`). */
declare const BERTH_COMMIT: string | undefined;

export const VERSION = "0.1.0";

/** The commit that the binary was built from. */
export function buildCommit(): string {
  return typeof BERTH_COMMIT === "string" ? BERTH_COMMIT : "dev";
}
