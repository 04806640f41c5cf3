import type { Engine } from "#engine/engine.ts";
import { BerthError } from "#errors/errors.ts";

/** Looks up which image a name means now. Each name once: a list may hold hundreds of containers of one image. */
export function imageNames(engine: Engine): (name: string) => string | undefined {
  const known = new Map<string, string | undefined>();
  return (name) => {
    if (!known.has(name)) known.set(name, imageNamed(engine, name));
    return known.get(name);
  };
}

function imageNamed(engine: Engine, name: string): string | undefined {
  try {
    return engine.images.images.resolve(name).id;
  } catch (error) {
    // Gone, or no name at all.
    if (error instanceof BerthError) return undefined;
    throw error;
  }
}
