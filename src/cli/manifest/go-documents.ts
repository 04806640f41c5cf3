/** Documents in the order and form in which buildx, written in Go, prints them: digests of what it publishes depend on that. */
import type { ContainerDefaults, Descriptor, HistoryEntry, ImageConfig, Platform } from "#spec/oci-image.ts";

/** https://github.com/opencontainers/image-spec/blob/main/specs-go/v1/descriptor.go */
export function goDescriptor({ mediaType, digest, size, urls, annotations, platform }: Descriptor): Descriptor {
  return {
    mediaType,
    digest,
    size,
    ...(urls && urls.length > 0 ? { urls } : {}),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations: sorted(annotations) } : {}),
    ...(platform ? { platform: goPlatform(platform) } : {}),
  };
}

function goPlatform(platform: Platform): Platform {
  const { architecture, os, variant, "os.version": version, "os.features": features } = platform;
  return {
    architecture,
    os,
    ...(version ? { "os.version": version } : {}),
    ...(features && features.length > 0 ? { "os.features": features } : {}),
    ...(variant ? { variant } : {}),
  };
}

/** https://github.com/opencontainers/image-spec/blob/main/specs-go/v1/config.go: what it does not know is not printed. */
export function goImage(config: ImageConfig): object {
  const { created, author, rootfs, history, config: defaults } = config;
  return {
    ...(created ? { created: goTime(created) } : {}),
    ...(author ? { author } : {}),
    ...goPlatform(config),
    config: goDefaults(defaults ?? {}),
    rootfs: { type: rootfs.type, diff_ids: rootfs.diff_ids },
    ...(history && history.length > 0 ? { history: history.map(goHistory) } : {}),
  };
}

function goDefaults(defaults: ContainerDefaults): object {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, ArgsEscaped } = defaults;
  const fields = {
    User,
    ExposedPorts: ExposedPorts && sorted(ExposedPorts),
    Env,
    Entrypoint,
    Cmd,
    Volumes: Volumes && sorted(Volumes),
    WorkingDir,
    Labels: Labels && sorted(Labels),
    StopSignal,
    ArgsEscaped,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isZero(value)));
}

function goHistory({ created, created_by, author, comment, empty_layer }: HistoryEntry): HistoryEntry {
  return {
    ...(created ? { created: goTime(created) } : {}),
    ...(created_by ? { created_by } : {}),
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
    ...(empty_layer ? { empty_layer } : {}),
  };
}

/** What Go's `omitempty` leaves out. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** RFC 3339 with as many digits behind the point as are needed. */
function goTime(text: string): string {
  return text.replace(/\.(\d*?)0+(?=Z|[+-])/, (_, digits: string) => (digits === "" ? "" : `.${digits}`));
}

function sorted<T>(map: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A document without a Go type of its own: Go sorts the keys of maps. */
export function goMap(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(goMap);
  if (typeof value !== "object" || value === null) return value;
  return sorted(Object.fromEntries(Object.entries(value).map(([key, part]) => [key, goMap(part)])));
}

/** Go's json.MarshalIndent with two spaces: it writes what HTML takes for markup as escapes. */
export function goJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2) ?? "null";
  return text
    .replace(/[<>&\u2028\u2029]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .replace(/\[\n\s*\]/g, "[]");
}
