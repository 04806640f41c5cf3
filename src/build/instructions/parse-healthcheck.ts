import { InvalidParameterError } from "#errors/errors.ts";
import { parseDuration } from "#formats/go-duration.ts";
import { jsonStrings } from "../parse/arguments.ts";
import type { FlagValues } from "./flags.ts";
import { flagsOf, originOf, type RawInstruction } from "./raw-instruction.ts";
import type { HealthcheckInstruction } from "./types.ts";

const FLAGS = {
  interval: "string",
  timeout: "string",
  "start-period": "string",
  "start-interval": "string",
  retries: "string",
} as const;

/** Docker's shortest interval, nanoseconds. */
const MIN_INTERVAL = 1_000_000;

/** `HEALTHCHECK NONE` or `HEALTHCHECK [--interval=…] … CMD COMMAND`. */
export function parseHealthcheck(raw: RawInstruction): HealthcheckInstruction {
  const [word = ""] = /^\S*/.exec(raw.rest) ?? [];
  if (word === "") throw new InvalidParameterError("HEALTHCHECK requires at least one argument");
  const command = raw.rest.slice(word.length).trim();
  const type = word.toUpperCase();
  if (type === "NONE") {
    if (command !== "") throw new InvalidParameterError("HEALTHCHECK NONE takes no arguments");
    const times = { interval: 0, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 };
    return { ...originOf(raw), kind: "healthcheck", test: ["NONE"], ...times };
  }
  const flags = flagsOf(raw, FLAGS);
  if (type !== "CMD") {
    throw new InvalidParameterError(`Unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
  return {
    ...originOf(raw),
    kind: "healthcheck",
    test: parseTest(command),
    interval: interval(flags, "interval"),
    timeout: interval(flags, "timeout"),
    startPeriod: interval(flags, "start-period"),
    startInterval: interval(flags, "start-interval"),
    retries: retries(flags.string("retries")),
  };
}

function parseTest(command: string): readonly string[] {
  const args = jsonStrings(command);
  if (args ? args.length === 0 : command === "") {
    throw new InvalidParameterError("Missing command after HEALTHCHECK CMD");
  }
  return args ? ["CMD", ...args] : ["CMD-SHELL", command];
}

function interval(flags: FlagValues, name: string): number {
  const text = flags.string(name);
  const duration = text === "" ? 0 : parseDuration(text);
  if (duration !== 0 && duration < MIN_INTERVAL) {
    throw new InvalidParameterError(`Interval ${JSON.stringify(name)} cannot be less than 1ms`);
  }
  return duration;
}

function retries(text: string): number {
  if (text === "") return 0;
  if (!/^[+-]?\d{1,9}$/.test(text)) {
    throw new InvalidParameterError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const count = Number(text);
  if (count < 0) throw new InvalidParameterError(`--retries cannot be negative (${count})`);
  return count;
}
