/** How a namespace mode names the container that it joins. */
export const JOINED_PREFIX = "container:";

/** What stands after `container:` in a namespace mode; undefined in any other mode. */
export function joinedContainer(mode: string | undefined): string | undefined {
  return mode?.startsWith(JOINED_PREFIX) ? mode.slice(JOINED_PREFIX.length) : undefined;
}
