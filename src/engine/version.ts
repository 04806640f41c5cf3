/** Berth's own version; the build replaces the commit. */
export const BERTH_VERSION = "0.1.0";
/** Set by `bun build --define`; a run from source has none. */
export const BERTH_COMMIT: string = process.env["BERTH_COMMIT"] ?? "dev";
