/** `--mount` and `-v`. https://github.com/docker/cli/blob/v28.2.2/opts/mount.go */
import { resolve } from "node:path";
import { InvalidParameterError } from "#errors/errors.ts";
import { parseBinarySize } from "#formats/go-units.ts";
import type { MountRequest } from "#spec/docker-api.ts";
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
  propagation?: string;
  createMountpoint?: boolean;
  noCopy?: boolean;
  labels: Record<string, string>;
  subpath?: string;
  size?: number;
  mode?: number;
};

/** Options that belong to one kind of mount only, with the word docker's message uses. */
const KIND_OF_FIELD: Readonly<Record<string, MountKind>> = {
  "bind-propagation": "bind",
  "bind-create-src": "bind",
  "volume-nocopy": "volume",
  "volume-label": "volume",
  "volume-subpath": "volume",
  "tmpfs-size": "tmpfs",
  "tmpfs-mode": "tmpfs",
};

/** Reads one `--mount` value. Relative sources of bind mounts are taken from the working directory. Throws InvalidParameterError. */
function parseMount(text: string): MountRequest {
  const draft: Draft = { type: "volume", target: "", readOnly: false, labels: {} };
  const given = new Set<string>();
  for (const field of splitFields(text)) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    const value = at < 0 ? undefined : field.slice(at + 1);
    given.add(key);
    readField(draft, key, value, field);
  }
  return finishMount(draft, given);
}

function readField(draft: Draft, key: string, value: string | undefined, field: string): void {
  if (key === "readonly" || key === "ro") {
    draft.readOnly = readSwitch(key, value);
  } else if (key === "volume-nocopy") {
    draft.noCopy = readSwitch(key, value);
  } else if (key === "bind-create-src") {
    draft.createMountpoint = readSwitch(key, value);
  } else if (value === undefined) {
    throw new InvalidParameterError(`invalid field '${field}' must be a key=value pair`);
  } else {
    readPair(draft, key, value);
  }
}

function readPair(draft: Draft, key: string, value: string): void {
  switch (key) {
    case "type":
      draft.type = value.toLowerCase();
      return;
    case "source":
    case "src":
      draft.source = value.startsWith(".") ? resolve(value) : value;
      return;
    case "target":
    case "dst":
    case "destination":
      draft.target = value;
      return;
    case "bind-propagation":
      draft.propagation = value.toLowerCase();
      return;
    case "volume-subpath":
      draft.subpath = value;
      return;
    case "volume-label": {
      const [name = "", ...rest] = value.split("=");
      draft.labels[name] = rest.join("=");
      return;
    }
    case "tmpfs-size":
      draft.size = parseBinarySize(value);
      return;
    case "tmpfs-mode":
      if (!/^[0-7]+$/.test(value)) throw new InvalidParameterError(`invalid value for tmpfs-mode: ${value}`);
      draft.mode = Number.parseInt(value, 8);
      return;
    default:
      throw new InvalidParameterError(`unexpected key '${key}' in '${key}=${value}'`);
  }
}

function finishMount(draft: Draft, given: ReadonlySet<string>): MountRequest {
  const { type } = draft;
  if (!isMountKind(type)) {
    throw new InvalidParameterError(`mount type "${type}" is not supported: use "bind", "volume" or "tmpfs"`);
  }
  if (draft.target === "") throw new InvalidParameterError("target is required");
  for (const field of given) {
    const kind = KIND_OF_FIELD[field];
    if (kind && kind !== type)
      throw new InvalidParameterError(`cannot mix '${kind}-*' options with mount type '${type}'`);
  }
  return {
    Type: type,
    ...(draft.source === undefined ? {} : { Source: draft.source }),
    Target: draft.target,
    ...(draft.readOnly ? { ReadOnly: true } : {}),
    ...bindOptions(draft),
    ...volumeOptions(draft),
    ...tmpfsOptions(draft),
  };
}

function bindOptions({ propagation, createMountpoint }: Draft): Pick<MountRequest, "BindOptions"> {
  if (propagation === undefined && createMountpoint === undefined) return {};
  return {
    BindOptions: {
      ...(propagation === undefined ? {} : { Propagation: propagation }),
      ...(createMountpoint === undefined ? {} : { CreateMountpoint: createMountpoint }),
    },
  };
}

function volumeOptions({ noCopy, labels, subpath }: Draft): Pick<MountRequest, "VolumeOptions"> {
  const hasLabels = Object.keys(labels).length > 0;
  if (noCopy === undefined && subpath === undefined && !hasLabels) return {};
  return {
    VolumeOptions: {
      ...(noCopy === undefined ? {} : { NoCopy: noCopy }),
      ...(hasLabels ? { Labels: labels } : {}),
      ...(subpath === undefined ? {} : { Subpath: subpath }),
    },
  };
}

function tmpfsOptions({ size, mode }: Draft): Pick<MountRequest, "TmpfsOptions"> {
  if (size === undefined && mode === undefined) return {};
  return {
    TmpfsOptions: {
      ...(size === undefined ? {} : { SizeBytes: size }),
      ...(mode === undefined ? {} : { Mode: mode }),
    },
  };
}

function isMountKind(type: string): type is MountKind {
  return type === "bind" || type === "volume" || type === "tmpfs";
}

function readSwitch(key: string, value: string | undefined): boolean {
  if (value === undefined || value === "true" || value === "1") return true;
  if (value === "false" || value === "0") return false;
  throw new InvalidParameterError(`invalid value for ${key}: ${value}`);
}

/** Fields of one CSV line: a quoted field may hold commas, and `""` in it is a quote. */
function splitFields(text: string): readonly string[] {
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^,]*))(,|$)/gy;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    fields.push(match[1] === undefined ? (match[2] ?? "") : match[1].replaceAll('""', '"'));
    if (match[3] === "") break;
  }
  return fields;
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
    const colon = value.indexOf(":");
    if (colon < 0) {
      volumes[value] = {};
    } else {
      const source = value.slice(0, colon);
      binds.push((source.startsWith(".") ? resolve(workingDirectory, source) : source) + value.slice(colon));
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
