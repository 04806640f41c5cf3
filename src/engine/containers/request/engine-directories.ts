import { InvalidParameterError } from "#errors/errors.ts";

/** Where the engine keeps and mounts what its containers are made of. */
export interface EngineDirectories {
  readonly dataRoot: string;
  /** Where it mounts their roots. */
  readonly mounts: string;
}

/**
 * The propagation of a bind of `source`, given what was asked for ("" for the default), and whether it shows directories of the engine. A private bind
 * of those would hold every mount that is in them: it could not be unmounted before the container's end. Throws InvalidParameterError in
 * Docker's words. https://github.com/moby/moby/blob/v28.2.2/daemon/daemon_linux.go (validateBindDaemonRoot)
 */
export function bindPropagation(
  directories: EngineDirectories,
  source: string,
  asked: string,
): { readonly propagation: string; readonly showsEngine?: true } {
  const shown = [directories.dataRoot, directories.mounts].find(
    (directory) => isWithin(source, directory) || isWithin(directory, source),
  );
  if (shown === undefined) return { propagation: asked };
  if (asked !== "" && asked !== "rslave" && asked !== "rshared")
    throw new InvalidParameterError(
      'invalid mount config: must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root, ' +
        `daemon root: "${shown}", bind mount source: "${source}", propagation: "${asked}"`,
    );
  return { propagation: asked || "rslave", showsEngine: true };
}

function isWithin(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(`${directory}/`);
}
