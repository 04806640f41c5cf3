import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { type Decoder, type Fields, integer, list, object, text, textList, textMap } from "#lib/json-decoder.ts";
import type { CdiDevice, CdiDeviceNode, CdiEdits, CdiHook, CdiMount, CdiSpec } from "#spec/cdi.ts";
import { checkSpec } from "./check-spec.ts";

/**
 * Reads a CDI file, YAML or JSON (which is YAML), and checks it. An unknown field is an error: it may be what makes the device safe to use.
 * Throws InvalidParameterError in the words of CDI's library. https://github.com/cncf-tags/container-device-interface/tree/main/pkg/cdi
 */
export function parseCdiSpec(source: string): CdiSpec {
  const spec = decodeSpec(parseYaml(source), "");
  checkSpec(spec);
  return spec;
}

/** CDI's files are read as YAML 1.1, in which a number with a leading zero is octal. Bun reads 1.2, where only `0o` is. */
function parseYaml(source: string): unknown {
  try {
    return Bun.YAML.parse(source.replace(/(\bfileMode["']?\s*:\s*)0(?=[0-7]+\s*(?:$|[,}#]))/gm, "$10o"));
  } catch (cause) {
    throw new InvalidParameterError(`failed to unmarshal CDI Spec: ${errorMessage(cause)}`, { cause });
  }
}

/** An object with no other fields than these. */
function strict<T extends object>(fields: Fields<T>, zero: Parameters<typeof object<T>>[1]): Decoder<T> {
  const decode = object<T>(fields, zero);
  const known = new Set(Object.keys(fields).map((name) => name.toLowerCase()));
  return (value, path) => {
    const unknown = Object.keys(value ?? {}).find((key) => !known.has(key.toLowerCase()));
    if (typeof value === "object" && !Array.isArray(value) && unknown !== undefined)
      throw new InvalidParameterError(`failed to unmarshal CDI Spec: unknown field ${JSON.stringify(unknown)}`);
    return decode(value, path);
  };
}

const anything: Decoder<NonNullable<unknown>> = (value) => value ?? {};

const deviceNode = strict<CdiDeviceNode>(
  {
    path: text,
    hostPath: text,
    type: text,
    major: integer,
    minor: integer,
    fileMode: integer,
    permissions: text,
    uid: integer,
    gid: integer,
  },
  { path: "" },
);

const mount = strict<CdiMount>(
  { hostPath: text, containerPath: text, type: text, options: textList },
  { hostPath: "", containerPath: "" },
);

const hook = strict<CdiHook>(
  { hookName: text, path: text, args: textList, env: textList, timeout: integer },
  { hookName: "", path: "" },
);

const edits = strict<CdiEdits>(
  {
    env: textList,
    deviceNodes: list(deviceNode),
    hooks: list(hook),
    mounts: list(mount),
    additionalGids: list(integer),
    intelRdt: anything,
    netDevices: list(anything),
  },
  {},
);

const device = strict<CdiDevice>(
  { name: text, annotations: textMap, containerEdits: edits },
  { name: "", containerEdits: {} },
);

const decodeSpec = strict<CdiSpec>(
  { cdiVersion: text, kind: text, annotations: textMap, devices: list(device), containerEdits: edits },
  { cdiVersion: "", kind: "", devices: [] },
);
