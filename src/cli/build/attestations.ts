import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";

/*
 * Berth makes no attestations: what asks for none is taken, what asks for some is refused rather than left out. And there is one builder, the
 * engine's own.
 */

/** `--provenance` and `--sbom`. Throws NotImplementedError for a value that asks for one. */
export function checkNone(type: "provenance" | "sbom"): (value: string) => string {
  return (value) => {
    if (value === "" || isNone(value)) return value;
    throw new NotImplementedError(
      `--${type}=${value} is not supported: Berth makes no attestations; use --${type}=false`,
    );
  };
}

/** `--attest type=sbom,disabled=true`. Throws as `checkNone`, InvalidParameterError without a type. */
export function checkAttest(value: string): string {
  const fields = value.split(",");
  if (!fields.some((field) => field.startsWith("type="))) {
    throw new InvalidParameterError(`attestation type not specified: ${value}`);
  }
  if (fields.some((field) => /^(disabled(=(1|t|true))?|enabled=(0|f|false))$/i.test(field))) return value;
  throw new NotImplementedError(`--attest ${value} is not supported: Berth makes no attestations; leave it out`);
}

/** `--builder`: "default", or nothing. Throws InvalidParameterError in buildx's words for another. */
export function checkBuilder(value: string): string {
  if (value === "" || value === "default") return value;
  throw new InvalidParameterError(`no builder ${JSON.stringify(value)} found: Berth builds itself, as "default"`);
}

function isNone(value: string): boolean {
  return (
    /^(0|f|false)$/i.test(value) || value.split(",").some((field) => /^(disabled=(1|t|true)|mode=none)$/i.test(field))
  );
}
