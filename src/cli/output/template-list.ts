import { InvalidParameterError } from "#errors/errors.ts";
import type { ListShape, Row } from "./row.ts";

export function formatRows(_shape: ListShape, _rows: readonly Row[], _format: string): string {
  throw new InvalidParameterError("--format is not there yet");
}
