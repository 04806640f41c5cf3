import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";

/*
 * Berth makes no attestations: what asks for none is taken, what asks for some is refused rather than left out.
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

function isNone(value: string): boolean {
  return (
    /^(0|f|false)$/i.test(value) || value.split(",").some((field) => /^(disabled=(1|t|true)|mode=none)$/i.test(field))
  );
}
