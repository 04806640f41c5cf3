import type { Digest } from "#spec/digest.ts";
import type { ImageContext } from "./image-context.ts";

/**
 * Tells listeners what happened to an image: with its labels, beside its name, as moby does (daemon/images/image_events.go). `actor` is
 * the image's id, or for a pull and a push what was named.
 */
export function publishImageEvent(
  context: Pick<ImageContext, "images" | "events">,
  action: string,
  image: Digest,
  attributes: { readonly name: string; readonly actor?: string },
): void {
  const labels = context.images.find(image)?.labels ?? {};
  context.events.publish("image", action, attributes.actor ?? image, { ...labels, name: attributes.name });
}
