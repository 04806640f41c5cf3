/** `--security-opt`. https://github.com/docker/cli/blob/v28.2.2/cli/command/container/opts.go (parseSecurityOpts) */
import { readFile } from "node:fs/promises";
import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { goFileError } from "#lib/go-file-error.ts";

export interface SecurityOptions {
  readonly options: readonly string[];
  /** `systempaths=unconfined`: nothing of /proc and /sys is masked or read-only. */
  readonly unconfinedPaths: boolean;
}

/** Checks the options and replaces the path of a seccomp profile by its content: the engine may not see the client's files. */
export async function readSecurityOptions(values: readonly string[]): Promise<SecurityOptions> {
  const options: string[] = [];
  let unconfinedPaths = false;
  for (const value of values) {
    const match = /^([^=:]+)[=:](.*)$/s.exec(value);
    if (!match && value !== "no-new-privileges" && value !== "writable-cgroups") {
      throw new InvalidParameterError(`Invalid --security-opt: "${value}"`);
    }
    if (value === "systempaths=unconfined" || value === "systempaths:unconfined") unconfinedPaths = true;
    else if (match?.[1] === "seccomp") options.push(`seccomp=${await readProfile(match[2] ?? "")}`);
    else options.push(value);
  }
  return { options, unconfinedPaths };
}

async function readProfile(value: string): Promise<string> {
  if (value === "unconfined" || value === "builtin") return value;
  let text: string;
  try {
    text = await readFile(value, "utf8");
  } catch (cause) {
    throw new InvalidParameterError(`opening seccomp profile (${value}) failed: ${goFileError("open", value, cause)}`, {
      cause,
    });
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (cause) {
    throw new InvalidParameterError(`compacting json for seccomp profile (${value}) failed: ${errorMessage(cause)}`, {
      cause,
    });
  }
}
