import { InvalidParameterError } from "#errors/errors.ts";

const ALLOWED = "[a-zA-Z0-9][a-zA-Z0-9_.-]";
const VALID_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Throws InvalidParameterError with Docker's words unless `name` can name a local volume. */
export function checkVolumeName(name: string): void {
  if (name.length === 1) {
    throw new InvalidParameterError(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  }
  // The name becomes a directory's name; file systems stop at 255 bytes.
  if (!VALID_NAME.test(name) || name.length > 255) {
    throw new InvalidParameterError(
      `create ${name}: "${name}" includes invalid characters for a local volume name, only "${ALLOWED}" are allowed. ` +
        "If you intended to pass a host directory, use absolute path",
    );
  }
}
