import { InvalidParameterError } from "#errors/errors.ts";
import { suggestion } from "#lib/closest-word.ts";
import { atSource } from "../parse/dockerfile-error.ts";
import type { Variables } from "../parse/shell-words.ts";
import type { EscapeCharacter } from "../parse/source.ts";
import { expandWord } from "./expand.ts";
import { csvFields, parseBoolean, parseBytes, parseNumber } from "./mount-values.ts";
import type { Mount, MountSpec, RunInstruction } from "./types.ts";

const TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
const SHARING = ["shared", "private", "locked"] as const;
type MountType = (typeof TYPES)[number];
type Sharing = (typeof SHARING)[number];

/** The keys of `--mount=`, other spellings mapped to the first. */
const KEYS: Readonly<Record<string, keyof Fields>> = {
  type: "type",
  from: "from",
  source: "source",
  src: "source",
  target: "target",
  dst: "target",
  destination: "target",
  readonly: "readOnly",
  ro: "readOnly",
  readwrite: "readWrite",
  rw: "readWrite",
  required: "required",
  size: "size",
  id: "id",
  sharing: "sharing",
  mode: "mode",
  uid: "uid",
  gid: "gid",
  env: "env",
};

/** Keys that only some types take. */
const ONLY_FOR: Readonly<Partial<Record<keyof Fields, readonly MountType[]>>> = {
  required: ["secret", "ssh"],
  size: ["tmpfs"],
  env: ["secret"],
};

interface Fields {
  type: string;
  from: string;
  source: string;
  target: string;
  readOnly: string;
  readWrite: string;
  required: string;
  size: string;
  id: string;
  sharing: string;
  mode: string;
  uid: string;
  gid: string;
  env: string;
}

/** Notes a `--mount=` value; only `from` is read now, because it decides which stages are needed. */
export function mountSpec(text: string): MountSpec {
  const from =
    csvFields(text)
      .findLast((field) => /^from=/i.test(field))
      ?.slice("from=".length) ?? "";
  if (/\$./.test(from)) {
    throw new InvalidParameterError("'from' doesn't support variable expansion, define alias stage instead");
  }
  return { text, from };
}

/** The mounts of a RUN with their variables expanded. Throws DockerfileError on an unknown key, type or value. */
export function parseMounts(run: RunInstruction, variables: Variables, escaper: EscapeCharacter): readonly Mount[] {
  return atSource(run.source, () =>
    run.mounts.map((spec) => toMount(readFields(spec.text, (value) => expandWord(value, variables, escaper)))),
  );
}

/** The type that a spec names, without expanding anything: "bind" if it names none or a variable. */
export function mountTypeOf(spec: MountSpec): string {
  const field = csvFields(spec.text).findLast((text) => /^type=/i.test(text));
  return field?.slice("type=".length).toLowerCase() ?? "bind";
}

function readFields(text: string, expand: (value: string) => string): Partial<Fields> {
  const fields: Partial<Fields> = {};
  for (const field of csvFields(text)) {
    const equals = field.indexOf("=");
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const name = Object.hasOwn(KEYS, key) ? KEYS[key] : undefined;
    if (equals < 0 && name !== "readOnly" && name !== "readWrite" && name !== "required") {
      throw new InvalidParameterError(`invalid field '${field}' must be a key=value pair`);
    }
    if (name === undefined) {
      throw new InvalidParameterError(`unexpected key '${key}' in '${field}'${suggestion(key, Object.keys(KEYS))}`);
    }
    const type = fields.type?.toLowerCase() ?? "bind";
    if (ONLY_FOR[name]?.every((allowed) => allowed !== type)) {
      throw new InvalidParameterError(`unexpected key '${key}' for mount type '${type}'`);
    }
    fields[name] = equals < 0 ? "true" : expand(field.slice(equals + 1));
    // The later of `ro` and `rw` wins, as in BuildKit.
    if (name === "readOnly") delete fields.readWrite;
    if (name === "readWrite") delete fields.readOnly;
  }
  return fields;
}

function toMount(fields: Partial<Fields>): Mount {
  const type = oneOf("mount type", fields.type ?? "bind", TYPES);
  checkCombination(type, fields);
  const { target = "", from = "", source = "", id = "" } = fields;
  const readOnly = readOnlyOf(type, fields);
  switch (type) {
    case "bind":
      return { type, target, readOnly, from, source };
    case "tmpfs":
      return { type, target, readOnly, size: fields.size === undefined ? 0 : parseBytes("size", fields.size) };
    case "cache":
      return {
        type,
        target,
        readOnly,
        from,
        source,
        id,
        sharing: sharingOf(fields.sharing),
        ...ownership(fields, 0o755),
      };
    default:
      return {
        type,
        target,
        readOnly,
        id: id === "" ? source : id,
        required: fields.required !== undefined && parseBoolean("required", fields.required),
        env: fields.env ?? "",
        ...ownership(fields, type === "secret" ? 0o400 : 0o600),
      };
  }
}

function checkCombination(type: MountType, fields: Partial<Fields>): void {
  if (type === "bind" || type === "tmpfs") {
    for (const key of ["mode", "uid", "gid"] as const) {
      if (fields[key] !== undefined) throw new InvalidParameterError(`${key} not allowed for "${type}" type mounts`);
    }
  }
  if (type === "secret") {
    if (fields.from) throw new InvalidParameterError("secret mount should not have a from");
    if (fields.sharing) throw new InvalidParameterError("secret mount should not define sharing");
    if (!fields.source && !fields.target && !fields.id) {
      throw new InvalidParameterError("invalid secret mount. one of source, target required");
    }
    if (fields.source && fields.id) throw new InvalidParameterError("both source and id can't be set");
  }
  if (fields.sharing && type !== "cache") {
    throw new InvalidParameterError(`invalid cache sharing set for ${type} mount`);
  }
}

/** Bind mounts and secrets are read-only unless `rw` is given, caches and tmpfs writable unless `ro` is. */
function readOnlyOf(type: MountType, fields: Partial<Fields>): boolean {
  if (fields.readOnly !== undefined) return parseBoolean("readonly", fields.readOnly);
  if (fields.readWrite !== undefined) return !parseBoolean("readwrite", fields.readWrite);
  return type !== "cache" && type !== "tmpfs";
}

function sharingOf(value: string | undefined): Sharing {
  return value === undefined ? "shared" : oneOf("sharing value", value, SHARING);
}

function ownership(fields: Partial<Fields>, defaultMode: number): { mode: number; uid: number; gid: number } {
  return {
    mode: fields.mode === undefined ? defaultMode : parseNumber("mode", fields.mode, 8),
    uid: fields.uid === undefined ? 0 : parseNumber("uid", fields.uid, 10),
    gid: fields.gid === undefined ? 0 : parseNumber("gid", fields.gid, 10),
  };
}

function oneOf<T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value.toLowerCase());
  if (found !== undefined) return found;
  throw new InvalidParameterError(`unsupported ${what} ${JSON.stringify(value)}${suggestion(value, allowed)}`);
}
