import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";

/** What a build is to attest of itself. https://docs.docker.com/build/metadata/attestations/slsa-provenance/ */
export interface ProvenanceRequest {
  /** `max` tells build arguments, labels and the Dockerfile too. */
  readonly mode: "min" | "max";
  /** Of SLSA's predicate. */
  readonly version: "v0.2" | "v1";
  /** A URL that names who builds; "" when nobody says. */
  readonly builderId: string;
  /** Only in images, not beside files. */
  readonly isInlineOnly: boolean;
}

/**
 * Reads `--attest` values (`type=provenance,mode=max`), the last of a type counts. Undefined when no provenance is asked for. Throws
 * NotImplementedError for SBOMs, which take a scanner image, InvalidParameterError for what is none.
 */
export function readAttestations(texts: readonly string[]): ProvenanceRequest | undefined {
  let provenance: ProvenanceRequest | undefined;
  for (const text of texts) {
    const fields = readFields(text);
    const type = fields.get("type");
    if (type === undefined) throw new InvalidParameterError(`attestation type not specified: ${text}`);
    if (type === "provenance") provenance = isDisabled(fields) ? undefined : readProvenance(fields);
    else if (type !== "sbom") throw new InvalidParameterError(`unknown attestation type: ${type}`);
    else if (!isDisabled(fields)) {
      throw new NotImplementedError(
        "SBOM attestations are not supported: Berth runs no scanner images; leave --sbom out, or use --sbom=false",
      );
    }
  }
  return provenance;
}

function readFields(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(",").map((field) => {
      const equals = field.indexOf("=");
      return equals < 0 ? [field.trim().toLowerCase(), ""] : [field.slice(0, equals).trim(), field.slice(equals + 1)];
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
