/**
 * Typed zero values for `inspect -f`. Docker evaluates templates on Go structs, where a null list prints `[]` and a field that JSON
 * leaves out is there all the same; on plain JSON, `{{if .State.Health}}` would fail.
 */
import { NIL_MAP, NIL_POINTER, NIL_SLICE } from "#formats/go-template/values.ts";

const MAPS = new Set([
  "Annotations",
  "Config",
  "Containers",
  "Data",
  "DriverOpts",
  "ExposedPorts",
  "Labels",
  "Networks",
  "Options",
  "PortBindings",
  "Ports",
  "StorageOpt",
  "Sysctls",
  "Tmpfs",
  "Volumes",
]);

/** Objects of which null means that there is none. */
const POINTERS = new Set([
  "Health",
  "Healthcheck",
  "Init",
  "IPAMConfig",
  "OomKillDisable",
  "PidsLimit",
  "StopTimeout",
  "UsageData",
]);

/** What structs have and JSON may leave out, by the name of the object. */
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  State: { Health: NIL_POINTER },
  Config: {
    ExposedPorts: NIL_MAP,
    Healthcheck: NIL_POINTER,
    Shell: NIL_SLICE,
    StopSignal: "",
    StopTimeout: NIL_POINTER,
    Labels: NIL_MAP,
    Volumes: NIL_MAP,
    Entrypoint: NIL_SLICE,
    Cmd: NIL_SLICE,
    Env: NIL_SLICE,
    User: "",
    WorkingDir: "",
    OnBuild: NIL_SLICE,
  },
  HostConfig: { Mounts: NIL_SLICE, Tmpfs: NIL_MAP, Sysctls: NIL_MAP, Init: NIL_POINTER, Annotations: NIL_MAP },
};

/** A document with nulls and missing fields as Go's structs have them, and the way back to what came over the wire. */
export class TypedView {
  readonly #originals: WeakMap<object, object> = new WeakMap();

  /** `value` typed; `name` is the field it stands in. */
  typed(value: unknown, name: string = ""): unknown {
    if (value === null) return MAPS.has(name) ? NIL_MAP : POINTERS.has(name) ? NIL_POINTER : NIL_SLICE;
    if (typeof value !== "object") return value;
    const view = Array.isArray(value)
      ? value.map((one) => this.typed(one))
      : {
          ...DEFAULTS[name],
          ...Object.fromEntries(Object.entries(value).map(([key, one]) => [key, this.typed(one, key)])),
        };
    this.#originals.set(view, value);
    return view;
  }

  /** What {@link typed} made `view` of: `{{json .Config}}` prints no more than the engine said. */
  originalOf(view: object): object {
    return this.#originals.get(view) ?? view;
  }
}
