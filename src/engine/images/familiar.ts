import { familiarString, parseReference } from "#formats/reference.ts";

/** A canonical name as people write it: `docker.io/library/busybox:latest` → `busybox:latest`. */
export function familiar(name: string): string {
  return familiarString(parseReference(name));
}
