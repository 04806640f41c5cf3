/** What is said of a command line that cannot be run, in the words of docker 28. */
import { PROGRAM } from "../program.ts";
import { StatusError } from "../status-error.ts";
import type { Command } from "./command.ts";
import type { Resolution } from "./command-tree.ts";
import { usageLine } from "./help.ts";

/** A flag is unknown or its value is bad. Docker's exit code for these is 125. */
export function flagError(message: string, path: string, usage: string): StatusError {
  return new StatusError(125, `${message}\n\n${usage}\n\nRun '${path} --help' for more information`);
}

/** Too many arguments or too few. */
export function argumentsError(path: string, command: Command): StatusError {
  const { text, most } = command.arguments;
  const verb = text.startsWith("requires at least") && most === Number.POSITIVE_INFINITY ? "See" : "Run";
  return new StatusError(
    1,
    `${PROGRAM}: '${path}' ${text}\n\n${usageLine(path, command)}\n\n${verb} '${path} --help' for more information`,
  );
}

/** No such command; names that are close are offered. */
export function unknownCommandError(program: string, unknown: Extract<Resolution, { kind: "unknown" }>): StatusError {
  const parent = unknown.group ? `${program} ${unknown.group.name}` : program;
  const similar =
    unknown.similar.length > 0
      ? `\n\nDid you mean this?\n${unknown.similar.map((name) => `\t${parent} ${name}`).join("\n")}`
      : "";
  const usage = unknown.group ? `\n\nUsage:  ${parent}` : "";
  return new StatusError(
    1,
    `${program}: unknown command: ${unknown.path}${similar}${usage}\n\nRun '${parent} --help' for more information`,
  );
}
