import { InvalidParameterError } from "#errors/errors.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";

/** What a build is to attest of its images; nothing of what is undefined. */
export interface AttestationRequests {
  readonly provenance?: ProvenanceRequest | undefined;
  readonly sbom?: SbomRequest | undefined;
}

/** https://docs.docker.com/build/metadata/attestations/slsa-provenance/ */
export interface ProvenanceRequest {
  /** `max` tells build arguments, labels and the Dockerfile too. */
  readonly mode: "min" | "max";
  /** Of SLSA's predicate. */
  readonly version: "v0.2" | "v1";
  /** A URL that names who builds; "" when nobody says. */
  readonly builderId: string;
  /** Only in what is pushed, not beside files: what buildx asks for when its user asks for nothing. */
  readonly isInlineOnly: boolean;
}

/** https://docs.docker.com/build/metadata/attestations/sbom/ */
export interface SbomRequest {
  /** Canonical reference of the image that looks through the result. */
  readonly generator: string;
  /** For its environment. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** BuildKit's own. https://github.com/docker/buildkit-syft-scanner */
const DEFAULT_GENERATOR = "docker/buildkit-syft-scanner:stable-1";

/**
 * Reads `--attest` values (`type=provenance,mode=max`), the last of a type counts. Throws InvalidParameterError for what is none.
 */
export function readAttestations(texts: readonly string[]): AttestationRequests {
  let requests: AttestationRequests = {};
  for (const text of texts) {
    const fields = readFields(text);
    const type = fields.get("type");
    if (type === undefined) throw new InvalidParameterError(`attestation type not specified: ${text}`);
    if (type === "provenance")
      requests = { ...requests, provenance: isDisabled(fields) ? undefined : readProvenance(fields) };
    else if (type === "sbom") requests = { ...requests, sbom: isDisabled(fields) ? undefined : readSbom(fields) };
    else throw new InvalidParameterError(`unknown attestation type: ${type}`);
  }
  return requests;
}

/** Names in lower case; a value in quotes may have commas. */
function readFields(text: string): ReadonlyMap<string, string> {
  const fields = text.match(/(?:"(?:[^"]|"")*"|[^,"])+/g) ?? [];
  return new Map(
    fields.map((field) => {
      const plain = field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field;
      const equals = plain.indexOf("=");
      return equals < 0 ? [plain.trim().toLowerCase(), ""] : [plain.slice(0, equals).trim(), plain.slice(equals + 1)];
    }),
  );
}

function isDisabled(fields: ReadonlyMap<string, string>): boolean {
  return isTrue(fields.get("disabled"), false) || !isTrue(fields.get("enabled"), true) || fields.get("mode") === "none";
}

/** `mode=max` unless another one is given, as in BuildKit. */
function readProvenance(fields: ReadonlyMap<string, string>): ProvenanceRequest {
  for (const name of fields.keys()) {
    if (!KNOWN.includes(name))
      throw new InvalidParameterError(`unknown parameter ${JSON.stringify(name)} of attestation type provenance`);
  }
  return {
    mode: modeOf(fields.get("mode")),
    version: versionOf(fields.get("version")),
    builderId: fields.get("builder-id") ?? "",
    isInlineOnly: isTrue(fields.get("inline-only"), false),
  };
}

const KNOWN = ["type", "mode", "version", "builder-id", "inline-only", "disabled", "enabled", "reproducible"];
const NOT_PARAMETERS = ["type", "generator", "disabled", "enabled"];

/** What is neither the generator nor a switch is for the generator. */
function readSbom(fields: ReadonlyMap<string, string>): SbomRequest {
  const named = fields.get("generator") ?? "";
  const generator = formatReference(tagNameOnly(parseReference(named === "" ? DEFAULT_GENERATOR : named)));
  const parameters = [...fields].filter(([name]) => !NOT_PARAMETERS.includes(name));
  for (const [name] of parameters) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw new InvalidParameterError(`invalid parameter ${JSON.stringify(name)} of attestation type sbom`);
  }
  return { generator, parameters: Object.fromEntries(parameters) };
}

function modeOf(mode: string | undefined): ProvenanceRequest["mode"] {
  if (mode === undefined || mode === "" || mode === "max" || mode === "full") return "max";
  if (mode === "min") return "min";
  throw new InvalidParameterError(`invalid provenance mode ${JSON.stringify(mode)}: expected min or max`);
}

function versionOf(version: string | undefined): ProvenanceRequest["version"] {
  if (version === undefined || version === "" || version === "v0.2") return "v0.2";
  if (version === "v1") return "v1";
  throw new InvalidParameterError(`invalid provenance version ${JSON.stringify(version)}: expected v0.2 or v1`);
}

function isTrue(value: string | undefined, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  return /^(|1|t|true)$/i.test(value);
}
