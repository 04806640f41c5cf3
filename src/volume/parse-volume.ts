import { posix } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { checkVolumeName } from "./volume-name.ts";

/** One `-v` value (an element of `HostConfig.Binds`). */
export type VolumeSpec = BindSpec | NamedVolumeSpec;

interface CommonSpec {
  /** Absolute, normalised path in the container. */
  readonly destination: string;
  readonly readonly: boolean;
  /** The options as given: inspect shows them. */
  readonly mode: string;
}

export interface BindSpec extends CommonSpec {
  readonly kind: "bind";
  /** Absolute host path. */
  readonly source: string;
  /** "" means the default, rprivate. */
  readonly propagation: string;
}

export interface NamedVolumeSpec extends CommonSpec {
  readonly kind: "volume";
  /** "" asks for an anonymous volume. */
  readonly name: string;
  readonly noCopy: boolean;
}

/** Options of which at most one may be given each. https://docs.docker.com/reference/cli/docker/container/run/#volume */
const OPTION_GROUPS: Readonly<Record<string, readonly string[]>> = {
  access: ["rw", "ro"],
  label: ["z", "Z"],
  propagation: ["private", "rprivate", "shared", "rshared", "slave", "rslave"],
  copy: ["nocopy"],
  consistency: ["consistent", "cached", "delegated"],
};

/** Parses `[SOURCE:]DESTINATION[:OPTIONS]`. Throws InvalidParameterError with Docker's words. */
export function parseVolume(text: string): VolumeSpec {
  const { source, destination, mode } = splitSpec(text);
  const options = parseOptions(mode);
  const isBind = source.startsWith("/");
  checkDestination(text, isBind ? "bind" : "volume", destination);
  const common = { destination: cleanPath(destination), readonly: options.get("access") === "ro", mode };
  const propagation = options.get("propagation") ?? "";
  if (isBind) {
    if (options.has("copy")) throw new InvalidParameterError(`invalid mode: ${mode}`);
    return { kind: "bind", source: cleanPath(source), propagation, ...common };
  }
  if (propagation !== "") {
    throw new InvalidParameterError(
      `invalid volume specification: '${text}': invalid mount config for type "volume": field BindOptions must not be specified`,
    );
  }
  if (source !== "") checkVolumeName(source);
  return { kind: "volume", name: source, noCopy: options.has("copy"), ...common };
}

function splitSpec(text: string): { readonly source: string; readonly destination: string; readonly mode: string } {
  const parts = text.split(":");
  const [first = "", second = "", ...rest] = parts;
  if (first === "" || rest.length > 1) throw invalidSpec(text);
  if (parts.length === 1) return { source: "", destination: first, mode: "" };
  // "/data:ro" is a destination with options, which Docker takes for a mistake: the source is missing.
  if (second === "" || (rest.length === 0 && isMode(second))) throw invalidSpec(text);
  return { source: first, destination: second, mode: rest[0] ?? "" };
}

function parseOptions(mode: string): ReadonlyMap<string, string> {
  const options = readOptions(mode);
  if (!options) throw new InvalidParameterError(`invalid mode: ${mode}`);
  return options;
}

function isMode(text: string): boolean {
  return readOptions(text) !== undefined;
}

function readOptions(mode: string): ReadonlyMap<string, string> | undefined {
  const options = new Map<string, string>();
  if (mode === "") return options;
  for (const word of mode.split(",")) {
    const group = Object.keys(OPTION_GROUPS).find((name) => OPTION_GROUPS[name]?.includes(word));
    if (!group || options.has(group)) return undefined;
    options.set(group, word);
  }
  return options;
}

/** Throws InvalidParameterError unless `destination` is an absolute path below the root. */
function checkDestination(text: string, type: string, destination: string): void {
  if (!destination.startsWith("/")) {
    throw invalidSpec(
      text,
      `invalid mount config for type "${type}": invalid mount path: '${destination}' mount path must be absolute`,
    );
  }
  if (cleanPath(destination) === "/") {
    throw invalidSpec(text, `invalid mount config for type "${type}": invalid specification: destination can't be '/'`);
  }
}

function invalidSpec(text: string, reason?: string): InvalidParameterError {
  return new InvalidParameterError(`invalid volume specification: '${text}'${reason ? `: ${reason}` : ""}`);
}

function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 ? normal.replace(/\/+$/, "") : normal;
}
