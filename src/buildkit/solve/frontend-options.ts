import type { BuildRequest } from "#build/builder.ts";
import { isDockersFrontend } from "#build/unfollowed.ts";
import { errorMessage, InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { parsePlatforms } from "#formats/platform.ts";
import { list, object, text, textMap } from "#lib/json-decoder.ts";
import type { CacheEntry } from "./shared-caches.ts";
import { frontendLimits } from "./step-limits.ts";

/** What a client asks of the Dockerfile frontend, but for its files. */
export type FrontendBuild = Pick<
  BuildRequest,
  | "dockerfileName"
  | "target"
  | "buildArgs"
  | "labels"
  | "noCache"
  | "noCacheFilter"
  | "pull"
  | "networkMode"
  | "extraHosts"
  | "limits"
  | "platforms"
> & {
  /** The client's names for the two directories. */
  readonly contextKey: string;
  readonly dockerfileKey: string;
  /** A URL in place of the context directory; "" for none. */
  readonly remote: string;
  /** `--build-context`: name → `local:…`, `docker-image://…`, `oci-layout://…`, `input:…`, URL. */
  readonly contexts: Readonly<Record<string, string>>;
  readonly cacheImports: readonly CacheEntry[];
  /** In the engine's terms: `type=provenance,mode=max`. */
  readonly attestations: readonly string[];
  /** `frontend.outline`: a question about the Dockerfile in place of a build; "" for none. */
  readonly subrequest: string;
};

const DEFAULTS = {
  dockerfileName: "Dockerfile",
  target: "",
  noCache: false,
  noCacheFilter: [] as readonly string[],
  pull: false,
  networkMode: "default",
  extraHosts: [] as readonly string[],
  platforms: [] as readonly string[],
  contextKey: "context",
  dockerfileKey: "dockerfile",
  remote: "",
  cacheImports: [] as readonly CacheEntry[],
  subrequest: "",
};

type Plain = { -readonly [K in keyof typeof DEFAULTS]?: (typeof DEFAULTS)[K] };

/** Attributes with one meaning each. */
const ATTRIBUTES: Readonly<Record<string, (value: string) => Plain>> = {
  filename: (value) => ({ dockerfileName: value || DEFAULTS.dockerfileName }),
  target: (value) => ({ target: value }),
  "no-cache": (value) => (value === "" ? { noCache: true } : { noCacheFilter: value.split(",") }),
  "image-resolve-mode": (value) => ({ pull: value === "pull" }),
  "force-network-mode": (value) => ({ networkMode: value === "" || value === "sandbox" ? "default" : value }),
  "add-hosts": (value) => ({ extraHosts: extraHosts(value) }),
  platform: (value) => ({ platforms: parsePlatforms(value) }),
  "cache-imports": (value) => ({ cacheImports: cacheImports(value) }),
  contextkey: (value) => ({ contextKey: value || DEFAULTS.contextKey }),
  dockerfilekey: (value) => ({ dockerfileKey: value || DEFAULTS.dockerfileKey }),
  context: (value) => ({ remote: value }),
  requestid: (value) => ({ subrequest: value }),
};

/** What steps may use: read by {@link frontendLimits}. */
const LIMITS = ["shm-size", "ulimit", "cgroup-parent"];

/** Say something about the client or the build that changes nothing in the image. */
const WITHOUT_EFFECT = [
  /^vcs:/,
  /^local-sessionid:/,
  /^cmdline$/,
  /^frontend\.caps$/,
  /^source$/,
  /^multi-platform$/,
  // An image that a context names has its configuration with it.
  /^input-metadata:/,
  // Handed on as a build argument.
  /^hostname$/,
];

/**
 * Reads the attributes of `dockerfile.v0`. One that would change the image and is not understood is refused. Throws InvalidParameterError,
 * NotImplementedError. https://github.com/moby/buildkit/blob/master/frontend/dockerui/config.go
 */
export function frontendBuild(attributes: Readonly<Record<string, string>>): FrontendBuild {
  const buildArgs: Record<string, string> = {};
  const labels: Record<string, string> = {};
  const contexts: Record<string, string> = {};
  const attests: Record<string, string> = {};
  const prefixed: Readonly<Record<string, Record<string, string>>> = {
    "attest:": attests,
    "build-arg:BUILDKIT_ATTEST_": attests,
    "build-arg:": buildArgs,
    "label:": labels,
    "context:": contexts,
  };
  let plain: Plain = {};
  for (const [name, value] of Object.entries(attributes)) {
    const read = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    const [prefix, map] = Object.entries(prefixed).find(([start]) => name.startsWith(start)) ?? [];
    if (read) plain = { ...plain, ...read(value) };
    else if (WITHOUT_EFFECT.some((pattern) => pattern.test(name))) checkEffectless(name, value);
    else if (prefix && map) map[name.slice(prefix.length)] = value;
    else if (!LIMITS.includes(name)) checkOther(name, value);
  }
  const { hostname } = attributes;
  if (hostname) buildArgs["BUILDKIT_SANDBOX_HOSTNAME"] = hostname;
  const attestations = Object.entries(attests).map(([type, value]) => attestationText(type.toLowerCase(), value));
  return { ...DEFAULTS, ...plain, ...frontendLimits(attributes), buildArgs, labels, contexts, attestations };
}

function checkEffectless(name: string, value: string): void {
  if (name === "source" && value !== "" && !isDockersFrontend(value)) {
    throw unsupported("the frontend image", value);
  }
}

/** `attest:provenance=false` leaves it out. */
function attestationText(type: string, value: string): string {
  if (/^(0|f|false)$/i.test(value)) return `type=${type},disabled=true`;
  return /^(|1|t|true)$/i.test(value) ? `type=${type}` : `type=${type},${value}`;
}

/** Anything else would be missed. */
function checkOther(name: string, value: string): void {
  if (value !== "") throw unsupported("the build option", `${name}=${value}`);
}

const decodeImports = list(
  object<{ readonly Type: string; readonly Attrs: Readonly<Record<string, string>> }>(
    { Type: text, Attrs: textMap },
    { Type: "", Attrs: {} },
  ),
);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new InvalidParameterError(`invalid cache-imports: ${errorMessage(cause)}`, { cause });
  }
}

/** The caches of `--cache-from`. */
function cacheImports(value: string): readonly CacheEntry[] {
  return decodeImports(parse(value === "" ? "[]" : value), "cache-imports").map(({ Type: type, Attrs: attrs }) => {
    return { type, attrs };
  });
}

/** `name=ip,name2=ip`. */
function extraHosts(text: string): readonly string[] {
  return text
    .split(",")
    .filter((pair) => pair !== "")
    .map((pair) => {
      const equals = pair.indexOf("=");
      if (equals < 1) throw new InvalidParameterError(`invalid key-value pair: ${pair}`);
      return `${pair.slice(0, equals)}:${pair.slice(equals + 1)}`;
    });
}

function unsupported(what: string, value: string): NotImplementedError {
  return new NotImplementedError(`${what} is not supported yet: ${JSON.stringify(value.slice(0, 200))}`);
}
