import { ConflictError } from "#errors/errors.ts";
import { digestHex } from "#formats/digest.ts";
import { parseReference, repositoryName } from "#formats/reference.ts";
import type { Digest } from "#spec/digest.ts";
import type { ImageNames } from "#store/image-record.ts";
import type { ImageUsers } from "./image-context.ts";

/**
 * What keeps an image from being removed, as moby decides it. `soft` conflicts yield to force.
 * https://github.com/moby/moby/blob/v28.2.2/daemon/images/image_delete.go
 */
export interface RemovalConflict {
  readonly soft: boolean;
  readonly reason: string;
  /** A container is the reason. */
  readonly used: boolean;
}

/** The first conflict of removing the image as a whole, hard ones first. `names` are those it still has. */
export function removalConflict(users: ImageUsers, id: Digest, names: ImageNames): RemovalConflict | undefined {
  const containers = users.usersOf(id);
  const running = containers.find((container) => container.running);
  if (running) {
    return { soft: false, used: true, reason: `image is being used by running container ${shortId(running.id)}` };
  }
  if (names.references.length + names.digests.length > 0) {
    return { soft: true, used: false, reason: "image is referenced in multiple repositories" };
  }
  const stopped = containers[0];
  if (stopped) {
    return { soft: true, used: true, reason: `image is being used by stopped container ${shortId(stopped.id)}` };
  }
  return undefined;
}

/** The error of a conflict, in Docker's words. */
export function removalConflictError(id: Digest, conflict: RemovalConflict): ConflictError {
  const way = conflict.soft ? "must be forced" : "cannot be forced";
  return new ConflictError(`conflict: unable to delete ${shortId(id)} (${way}) - ${conflict.reason}`);
}

/** The error of taking the last name of an image that a container needs. */
export function lastNameError(name: string, id: Digest, container: string): ConflictError {
  return new ConflictError(
    `conflict: unable to remove repository reference "${name}" (must force) - ` +
      `container ${shortId(container)} is using its referenced image ${shortId(id)}`,
  );
}

/** Whether all names of an image are one tag at most and digests of that tag's repository: naming it by id then means all of it. */
export function isSingleName({ references, digests }: ImageNames): boolean {
  if (references.length + digests.length === 1) return true;
  if (references.length > 1) return false;
  const repositories = new Set([...references, ...digests].map((name) => repositoryName(parseReference(name))));
  return repositories.size === 1;
}

/** 12 hex digits, as Docker prints ids. */
function shortId(id: string): string {
  return (id.startsWith("sha256:") ? digestHex(id as Digest) : id).slice(0, 12);
}
