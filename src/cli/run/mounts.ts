/** `--mount` and `-v`. https://github.com/docker/cli/blob/v28.2.2/opts/mount.go */
import { resolve } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import type { MountRequest } from "#spec/docker-containers.ts";
import { csvFields } from "../grammar/csv-line.ts";
import type { Flag } from "../grammar/flag.ts";

/** `--mount type=bind,source=/a,target=/b`; each makes one mount. */
export function mountFlag(usage: string): Flag<readonly MountRequest[]> {
  return { type: "mount", usage, initial: [], read: (text, before = []) => [...before, parseMount(text)] };
}

type MountKind = MountRequest["Type"];
type Draft = {
  type: string;
  source?: string;
  target: string;
  readOnly: boolean;
  consistency?: string;
  bind: Mutable<NonNullable<MountRequest["BindOptions"]>>;
  volume: Mutable<NonNullable<MountRequest["VolumeOptions"]>>;
  image: Mutable<NonNullable<MountRequest["ImageOptions"]>>;
  tmpfs: Mutable<NonNullable<MountRequest["TmpfsOptions"]>>;
};
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Reads one `--mount` value. Relative sources of bind mounts are taken from the working directory. Throws InvalidParameterError. */
function parseMount(text: string): MountRequest {
  const draft: Draft = { type: "volume", target: "", readOnly: false, bind: {}, volume: {}, image: {}, tmpfs: {} };
  const given = new Set<string>();
  for (const field of csvFields(text)) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const value = at < 0 ? undefined : field.slice(at + 1);
    given.add(key);
    const readSwitch = SWITCHES[key];
    const read = FIELDS[key];
    if (readSwitch) readSwitch(draft, parseSwitch(key, value));
    else if (value === undefined) throw new InvalidParameterError(`invalid field '${field}' must be a key=value pair`);
    else if (read) read(draft, value);
    else throw new InvalidParameterError(`unexpected key '${key}' in '${field}'`);
  }
  return finishMount(draft, given);
}

/** Fields that are true or false, and true without a value. */
const SWITCHES: Readonly<Record<string, (draft: Draft, value: boolean) => void>> = {
  readonly: (draft, value) => {
    draft.readOnly = value;
  },
  ro: (draft, value) => {
    draft.readOnly = value;
  },
  "volume-nocopy": ({ volume }, value) => {
    volume.NoCopy = value;
  },
  "bind-nonrecursive": ({ bind }, value) => {
    bind.NonRecursive = value;
  },
  "bind-create-src": ({ bind }, value) => {
    bind.CreateMountpoint = value;
  },
};

const FIELDS: Readonly<Record<string, (draft: Draft, value: string) => void>> = {
  type: (draft, value) => {
    draft.type = value.toLowerCase();
  },
  source: readSource,
  src: readSource,
  target: readTarget,
  dst: readTarget,
  destination: readTarget,
  consistency: (draft, value) => {
    draft.consistency = value.toLowerCase();
  },
  "bind-propagation": ({ bind }, value) => {
    bind.Propagation = value.toLowerCase();
  },
  "bind-recursive": readRecursion,
  "volume-subpath": ({ volume }, value) => {
    volume.Subpath = value;
  },
  "volume-label": ({ volume }, value) => {
    volume.Labels = { ...volume.Labels, ...keyAndValue(value) };
  },
  "volume-driver": ({ volume }, value) => {
    volume.DriverConfig = { ...volume.DriverConfig, Name: value };
  },
  "volume-opt": ({ volume }, value) => {
    const Options = { ...volume.DriverConfig?.Options, ...keyAndValue(value) };
    volume.DriverConfig = { ...volume.DriverConfig, Options };
  },
  "image-subpath": ({ image }, value) => {
    image.Subpath = value;
  },
  "tmpfs-size": ({ tmpfs }, value) => {
    tmpfs.SizeBytes = readSize(value);
  },
  "tmpfs-mode": ({ tmpfs }, value) => {
    if (!/^[0-7]+$/.test(value)) throw new InvalidParameterError(`invalid value for tmpfs-mode: ${value}`);
    tmpfs.Mode = Number.parseInt(value, 8);
  },
};

function readSource(draft: Draft, value: string): void {
  draft.source = isRelative(value) ? resolve(value) : value;
}

function readTarget(draft: Draft, value: string): void {
  draft.target = value;
}

function readSize(value: string): number {
  try {
    return parseBinarySize(value);
  } catch (cause) {
    throw new InvalidParameterError(`invalid value for tmpfs-size: ${value}`, { cause });
  }
}

function readRecursion({ bind }: Draft, value: string): void {
  if (value === "disabled") bind.NonRecursive = true;
  else if (value === "writable") bind.ReadOnlyNonRecursive = true;
  else if (value === "readonly") bind.ReadOnlyForceRecursive = true;
  else if (value !== "enabled") {
    throw new InvalidParameterError(
      `invalid value for bind-recursive: ${value} (must be "enabled", "disabled", "writable", or "readonly")`,
    );
  }
}

function keyAndValue(text: string): Readonly<Record<string, string>> {
  const [name = "", ...rest] = text.split("=");
  return name === "" ? {} : { [name]: rest.join("=") };
}

function finishMount(draft: Draft, given: ReadonlySet<string>): MountRequest {
  const { type } = draft;
  if (!isMountKind(type)) {
    throw new InvalidParameterError(`mount type "${type}" is not supported: use "bind", "volume", "tmpfs" or "image"`);
  }
  if (draft.target === "") throw new InvalidParameterError("target is required");
  for (const field of given) {
    const kind = /^(volume|image|bind|tmpfs)-/.exec(field)?.[1];
    if (kind && kind !== type)
      throw new InvalidParameterError(`cannot mix '${kind}-*' options with mount type '${type}'`);
  }
  checkRecursion(draft);
  return {
    Type: type,
    ...(draft.source === undefined ? {} : { Source: draft.source }),
    Target: draft.target,
    ...(draft.readOnly ? { ReadOnly: true } : {}),
    ...(draft.consistency === undefined ? {} : { Consistency: draft.consistency }),
    ...(hasAny(draft.bind) ? { BindOptions: draft.bind } : {}),
    ...(hasAny(draft.volume) ? { VolumeOptions: draft.volume } : {}),
    ...(hasAny(draft.image) ? { ImageOptions: draft.image } : {}),
    ...(hasAny(draft.tmpfs) ? { TmpfsOptions: draft.tmpfs } : {}),
  };
}

function checkRecursion({ bind, readOnly }: Draft): void {
  for (const [asked, word] of [
    [bind.ReadOnlyNonRecursive, "writable"],
    [bind.ReadOnlyForceRecursive, "readonly"],
  ] as const) {
    if (asked && !readOnly) {
      throw new InvalidParameterError(
        `option 'bind-recursive=${word}' requires 'readonly' to be specified in conjunction`,
      );
    }
  }
  if (bind.ReadOnlyForceRecursive && bind.Propagation !== "rprivate") {
    throw new InvalidParameterError(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    );
  }
}

function hasAny(options: object): boolean {
  return Object.keys(options).length > 0;
}

function isMountKind(type: string): type is MountKind {
  return type === "bind" || type === "volume" || type === "tmpfs" || type === "image";
}

function parseSwitch(key: string, value: string | undefined): boolean {
  if (value === undefined || ["1", "t", "T", "true", "TRUE", "True"].includes(value)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(value)) return false;
  throw new InvalidParameterError(`invalid value for ${key}: ${value}`);
}

/** A path that counts from the working directory says so by its beginning: anything else may be a volume's name. */
function isRelative(path: string): boolean {
  return path === "." || path === ".." || path.startsWith("./") || path.startsWith("../");
}

export interface VolumeFlags {
  /** `SOURCE:TARGET[:OPTIONS]`. */
  readonly binds: readonly string[];
  /** Targets of anonymous volumes. */
  readonly volumes: Readonly<Record<string, Record<string, never>>>;
}

/** Reads all `-v` values: with a source they bind, without they make an anonymous volume. */
export function parseVolumes(values: readonly string[], workingDirectory: string): VolumeFlags {
  const binds: string[] = [];
  const volumes: Record<string, Record<string, never>> = {};
  for (const value of values) {
    if (value === "") throw new InvalidParameterError("invalid empty volume spec");
    const colon = value.indexOf(":");
    if (colon < 0) {
      volumes[value] = {};
    } else {
      const source = value.slice(0, colon);
      binds.push((isRelative(source) ? resolve(workingDirectory, source) : source) + value.slice(colon));
    }
  }
  return { binds, volumes };
}

/** `--tmpfs /run:size=64k` as path to options. */
export function parseTmpfs(values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    values.map((value) => {
      const colon = value.indexOf(":");
      return colon < 0 ? [value, ""] : [value.slice(0, colon), value.slice(colon + 1)];
    }),
  );
}
