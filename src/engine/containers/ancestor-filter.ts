import { BerthError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { ContainerContext } from "./container-context.ts";
import type { ContainerRecord } from "./container-record.ts";

/**
 * Whether a container's image is one of `names`, or was built on it: then it begins with the same layers, as in Docker's containerd store.
 * Names that nobody has match nothing.
 */
export function descendsFrom(
  images: ContainerContext["images"],
  names: readonly string[],
): (record: ContainerRecord) => boolean {
  const ancestors = names.flatMap((name) => {
    const id = idOf(images, name);
    return id === undefined ? [] : [{ id, layers: layersOf(images, id) }];
  });
  const known = new Map<Digest, boolean>();
  const isDescendant = (imageId: Digest): boolean => {
    const layers = layersOf(images, imageId);
    return ancestors.some(
      (ancestor) =>
        ancestor.id === imageId ||
        (ancestor.layers.length > 0 && ancestor.layers.every((diffId, index) => layers[index] === diffId)),
    );
  };
  return ({ imageId }) => {
    const answer = known.get(imageId) ?? isDescendant(imageId);
    known.set(imageId, answer);
    return answer;
  };
}

function idOf(images: ContainerContext["images"], name: string): Digest | undefined {
  try {
    return images.find(name).id;
  } catch (error) {
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}

function layersOf(images: ContainerContext["images"], id: Digest): readonly Digest[] {
  try {
    return images.layers(id).map(({ diffId }) => diffId);
  } catch (error) {
    // An image whose layer file is gone still has its containers.
    if (error instanceof BerthError) return [];
    throw error;
  }
}
