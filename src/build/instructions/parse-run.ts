import { InvalidParameterError } from "#errors/errors.ts";
import { jsonStrings } from "../parse/arguments.ts";
import { parseDeviceFlag } from "./device-flag.ts";
import { mountSpec } from "./mounts.ts";
import { flagsOf, originOf, type RawInstruction } from "./raw-instruction.ts";
import type { CommandLine, RunInstruction } from "./types.ts";

const FLAGS = { mount: "list", network: "string", security: "string", device: "list" } as const;

/** `RUN [--mount=…] [--network=…] COMMAND`, shell or JSON, perhaps with heredocs. */
export function parseRun(raw: RawInstruction): RunInstruction {
  const flags = flagsOf(raw, FLAGS);
  const command = parseCommand(raw.rest);
  // In shell form nothing is a command, as for BuildKit: the shell's with nothing to do.
  if (command.form === "exec" && command.args.length === 0)
    throw new InvalidParameterError("RUN requires at least one argument");
  return {
    ...originOf(raw),
    kind: "run",
    command,
    heredocs: raw.heredocs,
    mounts: flags.list("mount").map(mountSpec),
    network: networkMode(flags.string("network")),
    security: securityMode(flags.string("security")),
    devices: flags.list("device").map(parseDeviceFlag),
  };
}

/** The command of RUN, CMD, ENTRYPOINT: a JSON array of strings is the exec form, all else the shell form. */
export function parseCommand(text: string): CommandLine {
  const args = jsonStrings(text);
  return args ? { form: "exec", args } : { form: "shell", line: text };
}

function networkMode(mode: string): RunInstruction["network"] {
  if (mode === "") return "default";
  if (mode === "default" || mode === "none" || mode === "host") return mode;
  throw new InvalidParameterError(`invalid network mode ${JSON.stringify(mode)}`);
}

function securityMode(mode: string): RunInstruction["security"] {
  if (mode === "") return "sandbox";
  if (mode === "sandbox" || mode === "insecure") return mode;
  throw new InvalidParameterError(`security ${JSON.stringify(mode)} is not valid`);
}
