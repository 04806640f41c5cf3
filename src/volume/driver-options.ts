import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { errorMessage, InvalidParameterError, SystemError } from "#errors/errors.ts";
import { SystemCallError } from "#sys/libc.ts";
import { mountByOptions } from "#sys/mounts/mount-by-options.ts";

/** The options of Docker's driver `local`: https://docs.docker.com/reference/cli/docker/volume/create/#opt */
export type DriverOptions = Readonly<Record<string, string>>;

const KNOWN = ["type", "o", "device", "size"];
/** What an option needs beside it. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  device: ["type"],
  type: ["device"],
  o: ["device", "type"],
};

/** Throws InvalidParameterError, in Docker's words, for options that no volume can have. */
export function checkDriverOptions(name: string, options: DriverOptions): void {
  const refuse = (problem: string): InvalidParameterError => new InvalidParameterError(`create ${name}: ${problem}`);
  for (const key of Object.keys(options)) if (!KNOWN.includes(key)) throw refuse(`invalid option: "${key}"`);
  // Quotas are the file system's, and Docker has them on XFS with project quotas alone.
  if (options["size"] !== undefined) throw refuse("quota size requested but no quota support");
  for (const [option, needed] of Object.entries(NEEDED)) {
    if (options[option] === undefined) continue;
    for (const other of needed) if (options[other] === undefined) throw refuse(`missing required option: "${other}"`);
  }
}

/** Whether the volume is something of its own to be mounted at each use. */
export function needsMount(options: DriverOptions): boolean {
  return (options["device"] ?? "") !== "" || (options["type"] ?? "") !== "";
}

/** Mounts what the options name at `target`. Throws SystemError with the kernel's word; passwords are left out. */
export async function mountVolume(target: string, options: DriverOptions): Promise<void> {
  const type = options["type"] ?? "";
  const source = options["device"] ?? "";
  if (source === "") throw new SystemError("missing device in volume options");
  const given = options["o"] ?? "";
  try {
    const resolved = type === "nfs" || type === "cifs" ? await withAddress(given) : given;
    mountByOptions({ source, target, type, options: resolved });
  } catch (cause) {
    const reason = cause instanceof SystemCallError ? kernelWord(cause) : errorMessage(cause);
    const data = given === "" ? "" : `, data: ${given.replace(/(password=)[^,]*/g, "$1********")}`;
    throw new SystemError(`failed to mount local volume: mount ${source}:${target}${data}: ${reason}`, { cause });
  }
}

/** The kernel takes addresses, not names. */
async function withAddress(options: string): Promise<string> {
  const host = /(?:^|,)addr=([^,]*)/.exec(options)?.[1] ?? "";
  if (host === "" || isIP(host) !== 0) return options;
  const { address } = await lookup(host).catch((cause: unknown) => {
    throw new SystemError(`error resolving passed in network volume address: ${errorMessage(cause)}`, { cause });
  });
  return options.replace(`addr=${host}`, `addr=${address}`);
}

/** `mount "x": no such device (ENODEV)` → `no such device`. */
function kernelWord(error: SystemCallError): string {
  return error.message.replace(/^.*": /, "").replace(/ \([A-Z0-9]+\).*$/, "");
}
