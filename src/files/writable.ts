import { InvalidParameterError } from "#errors/errors.ts";
import type { Place } from "./container-tree.ts";

/** Throws InvalidParameterError, in Docker's words, where the container itself could not write either. */
export function checkWritable(place: Place, readonlyRoot: boolean): void {
  if (place.mount?.readonly) throw new InvalidParameterError("mounted volume is marked read-only");
  if (!place.mount && readonlyRoot) throw new InvalidParameterError("container rootfs is marked read-only");
}
