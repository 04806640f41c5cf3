/** Fields of OCI documents as Go's structs call them, where it is not just a capital. */
const NAMES: Readonly<Record<string, string>> = {
  os: "OS",
  "os.version": "OSVersion",
  "os.features": "OSFeatures",
  urls: "URLs",
  rootfs: "RootFS",
  diff_ids: "DiffIDs",
  created_by: "CreatedBy",
  empty_layer: "EmptyLayer",
};

/** A document with Go's names of its fields beside JSON's: templates say `.Manifest.Digest`, and `json` prints `digest`. */
export function withGoNames(value: object): object {
  const named: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) named[key] = deepened(part);
  for (const [key, part] of Object.entries(named)) {
    const name = NAMES[key] ?? `${key.charAt(0).toUpperCase()}${key.slice(1)}`;
    if (!Object.hasOwn(named, name)) hide(named, name, key === "created" ? goTimeText(String(part)) : part);
  }
  return named;
}

function deepened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deepened);
  return typeof value === "object" && value !== null ? withGoNames(value) : value;
}

/** Templates see it, `json` does not. */
export function hide(target: object, name: PropertyKey, value: unknown): void {
  Object.defineProperty(target, name, { value });
}

/** RFC 3339 as Go prints a time.Time. */
function goTimeText(text: string): string {
  const [, day, time] = /^(\d+-\d+-\d+)T([\d:.]+)Z$/.exec(text) ?? [];
  return day === undefined ? text : `${day} ${time} +0000 UTC`;
}
