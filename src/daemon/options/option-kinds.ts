import { InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import { formatAddress, parseAddress } from "#lib/ip-address.ts";
import type { RuntimeCommand } from "#runtime/oci/program.ts";
import type { Ulimit } from "#spec/docker-resources.ts";

/**
 * What an option's value is, and how it is read: from the texts that flags gave, in their order, or from daemon.json. Both throw
 * InvalidParameterError in dockerd's words, without the option's name.
 */
export interface OptionKind<T> {
  /** Go's word for it in the help; "" for a switch, which needs no value. */
  readonly placeholder: string;
  fromFlags(texts: readonly string[]): T;
  fromFile(value: unknown, key: string): T;
  /** Where both may speak: what comes of it. For all others that is a conflict. */
  join?(ofFile: T, ofFlags: T): T;
}

/** An IPv4 address range and the length of the subnets that are cut from it. */
export interface PoolOption {
  readonly base: string;
  readonly size: number;
}

export const TEXT: OptionKind<string> = {
  placeholder: "string",
  fromFlags: last,
  fromFile: (value, key) => fileText(value, key),
};

export const SWITCH: OptionKind<boolean> = {
  placeholder: "",
  fromFlags: (texts) => {
    const text = last(texts);
    const value = parseGoBool(text);
    if (value === undefined)
      throw new InvalidParameterError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
    return value;
  },
  fromFile: (value, key) => {
    if (typeof value === "boolean") return value;
    throw wrongType(value, key, "bool");
  },
};

export const COUNT: OptionKind<number> = {
  placeholder: "int",
  fromFlags: (texts) => parsedInteger(last(texts)),
  fromFile: (value, key) => {
    if (typeof value === "number" && Number.isInteger(value)) return value;
    throw wrongType(value, key, "int");
  },
};

/** An address, in its usual form. */
export const ADDRESS: OptionKind<string> = {
  placeholder: "ip",
  fromFlags: (texts) => address(last(texts), (text) => `failed to parse IP: ${JSON.stringify(text)}`),
  fromFile: (value, key) => address(fileText(value, key), (text) => `invalid IP address: ${text}`),
};

export const ADDRESSES: OptionKind<readonly string[]> = {
  placeholder: "ipSlice",
  fromFlags: (texts) =>
    texts
      .flatMap((text) => text.split(","))
      .map((text) => address(text.trim(), (bad) => `invalid string being converted to IP address: ${bad}`)),
  fromFile: (value, key) => fileTexts(value, key).map((text) => address(text, (bad) => `invalid IP address: ${bad}`)),
};

/** Bytes. */
export const SIZE: OptionKind<number> = {
  placeholder: "bytes",
  fromFlags: (texts) => parseBinarySize(last(texts)),
  fromFile: (value, key) => {
    if (typeof value === "number") throw new InvalidParameterError(`invalid size: "${value}"`);
    return parseBinarySize(fileText(value, key));
  },
};

export const TEXTS: OptionKind<readonly string[]> = {
  placeholder: "list",
  fromFlags: (texts) => texts,
  fromFile: fileTexts,
};

export const TEXT_MAP: OptionKind<Readonly<Record<string, string>>> = {
  placeholder: "map",
  // A name without "=" is one with an empty value, as dockerd has it.
  fromFlags: (texts) => Object.fromEntries(texts.map(pair)),
  fromFile: fileTextMap,
};

/** Options of networks by the driver that they are for. */
export const NESTED_MAP: OptionKind<Readonly<Record<string, Readonly<Record<string, string>>>>> = {
  placeholder: "mapmap",
  fromFlags: (texts) => {
    const nested: Record<string, Record<string, string>> = {};
    for (const text of texts) {
      const [root, rest] = pair(text);
      const [name, value] = pair(rest);
      if (!text.includes("=") || !rest.includes("="))
        throw new InvalidParameterError(
          `invalid value ${JSON.stringify(text)} for map option, should be root-key=key=value`,
        );
      nested[root] = { ...nested[root], [name]: value };
    }
    return nested;
  },
  fromFile: (value, key) =>
    Object.fromEntries(Object.entries(fileObject(value, key)).map(([root, map]) => [root, fileTextMap(map, key)])),
};

export const POOLS: OptionKind<readonly PoolOption[]> = {
  placeholder: "pool-options",
  fromFlags: (texts) => texts.map(flagPool),
  fromFile: (value, key) =>
    fileList(value, key).map((item) => {
      const { base, size } = lowerNames(fileObject(item, key));
      return { base: fileText(base ?? "", key), size: COUNT.fromFile(size ?? 0, key) };
    }),
};

export const ULIMITS: OptionKind<readonly Ulimit[]> = {
  placeholder: "ulimit",
  fromFlags: (texts) => [...new Map(texts.map(flagUlimit).map((limit) => [limit.Name, limit])).values()],
  fromFile: (value, key) =>
    Object.entries(fileObject(value, key)).map(([name, item]) => {
      const { soft, hard } = lowerNames(fileObject(item, key));
      return checkedUlimit({
        Name: name,
        Soft: COUNT.fromFile(soft ?? hard ?? 0, key),
        Hard: COUNT.fromFile(hard ?? soft ?? 0, key),
      });
    }),
};

/** Further OCI runtimes, by name. https://github.com/moby/moby/blob/v28.2.2/daemon/runtime_unix.go (setupRuntimes) */
export const RUNTIMES: OptionKind<ReadonlyMap<string, RuntimeCommand>> = {
  placeholder: "runtime",
  fromFlags: (texts) => {
    const added = new Map<string, RuntimeCommand>();
    for (const [name, command] of texts.map(flagRuntime)) {
      if (added.has(name)) throw new InvalidParameterError(`runtime '${name}' was already defined`);
      added.set(name, command);
    }
    return added;
  },
  fromFile: (value, key) =>
    new Map(Object.entries(fileObject(value, key)).map(([name, item]) => [name, fileRuntime(name, item, key)])),
  join: (ofFile, ofFlags) => new Map([...ofFile, ...ofFlags]),
};

/** For daemon.json alone; decoded by who uses it. */
export const JSON_VALUE: OptionKind<unknown> = {
  placeholder: "json",
  fromFlags: last,
  fromFile: (value) => value,
};

function last(texts: readonly string[]): string {
  return texts.at(-1) ?? "";
}

function pair(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function parsedInteger(text: string): number {
  if (!/^[+-]?\d+$/.test(text))
    throw new InvalidParameterError(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  return Number(text);
}

function address(text: string, complaint: (text: string) => string): string {
  const parsed = parseAddress(text);
  if (!parsed) throw new InvalidParameterError(complaint(text));
  return formatAddress(parsed);
}

function flagPool(text: string): PoolOption {
  const fields = text.split(",").map((field) => {
    if (!field.includes("=")) throw new InvalidParameterError(`invalid field '${field}' must be a key=value pair`);
    return pair(field);
  });
  let [base, size] = ["", 0];
  for (const [name, value] of fields) {
    if (name.trim().toLowerCase() === "base") base = value;
    else if (name.trim().toLowerCase() === "size") size = parsedInteger(value);
    else throw new InvalidParameterError(`unexpected key '${name}' in '${name}=${value}'`);
  }
  return { base, size };
}

const ULIMIT_NAMES: readonly string[] =
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" ");

/** `nofile=1024[:2048]`; -1 is no limit. */
function flagUlimit(text: string): Ulimit {
  const [name, value] = pair(text);
  const [soft = "", hard = soft, ...rest] = value.split(":");
  if (!text.includes("=") || rest.length > 0) throw new InvalidParameterError(`invalid ulimit argument: ${text}`);
  return checkedUlimit({ Name: name, Soft: parsedInteger(soft), Hard: parsedInteger(hard) });
}

function checkedUlimit(limit: Ulimit): Ulimit {
  const { Name, Soft, Hard } = limit;
  if (!ULIMIT_NAMES.includes(Name)) throw new InvalidParameterError(`invalid ulimit type: ${Name}`);
  if (Hard !== -1 && (Soft > Hard || Soft === -1))
    throw new InvalidParameterError(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`);
  return limit;
}

function flagRuntime(text: string): readonly [string, RuntimeCommand] {
  const [name, path] = pair(text).map((part) => part.trim());
  if (!name || !path) throw new InvalidParameterError(`invalid runtime argument: ${text}`);
  return [name.toLowerCase(), { path, args: [] }];
}

function fileRuntime(name: string, item: unknown, key: string): RuntimeCommand {
  if (name === "") throw new InvalidParameterError("invalid runtime argument: a runtime has no name");
  const { path = "", runtimeargs, runtimetype = "", options } = lowerNames(fileObject(item, key));
  if (runtimetype !== "")
    throw new InvalidParameterError(`runtime ${name}: runtimeType names a shim of containerd: give its path`);
  if (path === "")
    throw new InvalidParameterError(`runtime ${name}: either a runtimeType or a path must be configured`);
  if (Object.keys(options ?? {}).length > 0)
    throw new InvalidParameterError(`runtime ${name}: options cannot be used with a path runtime`);
  const args = fileTexts(runtimeargs ?? [], key);
  if (args.some((argument) => /^--?systemd-cgroup(=(1|t|true))?$/i.test(argument)))
    throw new InvalidParameterError(`runtime ${name}: --systemd-cgroup: Berth names the cgroups itself: leave it out`);
  return { path: fileText(path, key), args };
}

function fileText(value: unknown, key: string): string {
  if (typeof value === "string") return value;
  throw wrongType(value, key, "string");
}

function fileList(value: unknown, key: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongType(value, key, "[]string");
}

function fileTexts(value: unknown, key: string): readonly string[] {
  return fileList(value, key).map((item) => fileText(item, key));
}

function fileObject(value: unknown, key: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw wrongType(value, key, "map[string]string");
  return Object.fromEntries(Object.entries(value));
}

function fileTextMap(value: unknown, key: string): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(fileObject(value, key)).map(([name, text]) => [name, fileText(text, key)]));
}

/** Go's decoder does not mind how names are written. */
function lowerNames(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]));
}

/** Go's words. https://pkg.go.dev/encoding/json#UnmarshalTypeError */
function wrongType(value: unknown, key: string, type: string): InvalidParameterError {
  return new InvalidParameterError(
    `json: cannot unmarshal ${jsonKind(value)} into Go struct field Config.${key} of type ${type}`,
  );
}

export function jsonKind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "boolean" ? "bool" : typeof value;
}
