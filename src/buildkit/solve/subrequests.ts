import type { Engine } from "#engine/engine.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import type { CheckResult } from "#spec/build-check.ts";
import { dockerfileRequest } from "./dockerfile-solve.ts";
import type { RunningSolve } from "./running-solve.ts";
import type { SolveInputs } from "./solve-inputs.ts";

const VERSION = "1.0.0";
const DESCRIBE = "frontend.subrequests.describe";

/** What the frontend can be asked in place of a build. https://github.com/moby/buildkit/tree/master/frontend/subrequests */
const SUBREQUESTS: Readonly<Record<string, { readonly call: string; readonly description: string }>> = {
  "frontend.outline": { call: "outline", description: "List all parameters current build target supports" },
  "frontend.targets": { call: "targets", description: "List all targets current build supports" },
  "frontend.lint": { call: "lint", description: "Lint a Dockerfile" },
};

/** The metadata of a result that answers the subrequest `name`. Throws InvalidParameterError in BuildKit's words for one that there is not. */
export async function answerSubrequest(
  engine: Engine,
  running: RunningSolve,
  request: {
    readonly name: string;
    readonly attributes: Readonly<Record<string, string>>;
    readonly inputs: SolveInputs;
  },
): Promise<Record<string, Uint8Array>> {
  if (request.name === DESCRIBE) return metadata(describeAll());
  const known = Object.hasOwn(SUBREQUESTS, request.name) ? SUBREQUESTS[request.name] : undefined;
  if (!known) throw new InvalidParameterError(`unsupported request ${request.name}`);
  await using asked = await dockerfileRequest(engine, running, request);
  const result = await engine.builds.call(known.call, asked.build);
  if (known.call !== "lint") return metadata(result);
  const lint = result as CheckResult;
  const status = lint.warnings.length > 0 || lint.buildError ? 1 : 0;
  return {
    ...metadata(result),
    "result.txt": Buffer.from(lintText(lint)),
    "result.statuscode": Buffer.from(String(status)),
  };
}

/** For clients that know nothing of lint; others print the JSON in their own way. */
function lintText({ warnings, sources, buildError }: CheckResult): string {
  const file = sources[0]?.filename ?? "Dockerfile";
  const lines = warnings.map(({ ruleName, detail, url, location }) => {
    const line = location.ranges[0]?.start.line ?? 0;
    return `${file}:${line}: ${ruleName}: ${detail ?? ""}${url ? ` (${url})` : ""}\n`;
  });
  return [...lines, ...(buildError ? [`${buildError.message}\n`] : [])].join("") || "no warnings found\n";
}

function metadata(result: unknown): Record<string, Uint8Array> {
  return { "result.json": Buffer.from(JSON.stringify(result, null, 2)), version: Buffer.from(VERSION) };
}

function describeAll(): unknown {
  const all = Object.entries(SUBREQUESTS).map(([name, { description }]) => ({ name, description }));
  return [...all, { name: DESCRIBE, description: "List available subrequest types" }].map((request) => ({
    ...request,
    version: VERSION,
    type: "rpc",
    metadata: [{ Name: "result.json" }],
  }));
}
