import type { BuildRequest } from "./builder.ts";
import { emptyContext } from "./context/open-context.ts";

/** The options of a build that nobody gave any. */
export const NO_OPTIONS: Pick<
  BuildRequest,
  "buildArgs" | "labels" | "target" | "noCache" | "pull" | "networkMode" | "extraHosts" | "platforms"
> = {
  buildArgs: {},
  labels: {},
  target: "",
  noCache: false,
  pull: false,
  networkMode: "default",
  extraHosts: [],
  platforms: [],
};

/** The input of a build whose Dockerfile Berth wrote itself: what it reads lies in named contexts and images, never in files beside it. */
export function writtenInput(text: string): BuildRequest["input"] {
  const dockerfile = Buffer.from(text);
  return { kind: "files", dockerfile, context: { open: async () => emptyContext(dockerfile).files } };
}
