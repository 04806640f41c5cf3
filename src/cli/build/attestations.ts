import { InvalidParameterError } from "#errors/errors.ts";

/*
 * `--attest`, `--provenance` and `--sbom` as the engine takes them: `type=provenance,mode=max`. What it makes of them is its own business.
 * https://github.com/docker/buildx/blob/master/util/buildflags/attests.go
 */

export interface AttestationFlags {
  readonly attest: readonly string[];
  readonly provenance: string;
  readonly sbom: string;
}

/** `--attest type=sbom,disabled=true`. Throws InvalidParameterError without a type. */
export function checkAttest(value: string): string {
  if (value.split(",").some((field) => field.startsWith("type="))) return value;
  throw new InvalidParameterError(`attestation type not specified: ${value}`);
}

/** Those that are asked for or refused, each type once. Throws InvalidParameterError for a type that is given twice. */
export function attestations({ attest, provenance, sbom }: AttestationFlags): readonly string[] {
  const all = [...attest, ...short("provenance", provenance), ...short("sbom", sbom)];
  const types = all.map((text) => /(?:^|,)type=([^,]*)/.exec(text)?.[1] ?? "");
  const twice = types.find((type, at) => types.indexOf(type) !== at);
  if (twice !== undefined) throw new InvalidParameterError(`duplicate attestation field ${twice}`);
  return all;
}

function short(type: string, value: string): readonly string[] {
  if (value === "") return [];
  if (/^(1|t|true)$/i.test(value)) return [`type=${type}`];
  return /^(0|f|false)$/i.test(value) ? [`type=${type},disabled=true`] : [`type=${type},${value}`];
}
