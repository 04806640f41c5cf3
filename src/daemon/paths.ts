import { mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Where an engine keeps things. Below the data root, what must survive a reboot; below the exec root, what must not.
 * The exec root's mounts have one-letter names because `lowerdir` options are bounded by a page.
 */
export interface EnginePaths {
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly database: string;
  readonly layers: string;
  readonly blobs: string;
  readonly snapshots: string;
  readonly containers: string;
  readonly volumes: string;
  readonly contexts: string;
  /** Logs of recorded builds; `files/` has their lists of files. */
  readonly builds: string;
  readonly cacheMounts: string;
  readonly temporary: string;
  /** Held as long as the engine runs. */
  readonly lock: string;
  readonly mounts: string;
  readonly bundles: string;
  readonly runtimeState: string;
  readonly exits: string;
  readonly namespaces: string;
  /** Records of the name service. */
  readonly names: string;
  readonly buildFiles: string;
}

export function enginePaths(dataRoot: string, execRoot: string): EnginePaths {
  return {
    dataRoot,
    execRoot,
    database: join(dataRoot, "berth.db"),
    layers: join(dataRoot, "layers"),
    blobs: join(dataRoot, "blobs"),
    snapshots: join(dataRoot, "snapshots"),
    containers: join(dataRoot, "containers"),
    volumes: join(dataRoot, "volumes"),
    contexts: join(dataRoot, "contexts"),
    builds: join(dataRoot, "builds"),
    cacheMounts: join(dataRoot, "cache-mounts"),
    temporary: join(dataRoot, "tmp"),
    lock: join(dataRoot, "engine.lock"),
    mounts: join(execRoot, "m"),
    bundles: join(execRoot, "bundles"),
    runtimeState: join(execRoot, "runtime"),
    exits: join(execRoot, "exits"),
    namespaces: join(execRoot, "netns"),
    names: join(execRoot, "names"),
    buildFiles: join(execRoot, "build"),
  };
}

/** Makes the directories, for the engine's user alone from the first instant; the exec root may be entered, as the socket lies there. */
export function makeDirectories(paths: EnginePaths): void {
  const previous = process.umask(0o077);
  try {
    mkdirSync(paths.dataRoot, { recursive: true, mode: 0o700 });
    const { layers, snapshots, containers, volumes, blobs, contexts, builds, cacheMounts, temporary } = paths;
    const durable = [
      layers,
      snapshots,
      containers,
      volumes,
      blobs,
      contexts,
      builds,
      join(builds, "files"),
      cacheMounts,
      temporary,
    ];
    for (const directory of durable) mkdirSync(directory, { recursive: true, mode: 0o700 });
    process.umask(0o022);
    mkdirSync(paths.execRoot, { recursive: true, mode: 0o711 });
    process.umask(0o077);
    const { mounts, bundles, runtimeState, exits, namespaces, buildFiles } = paths;
    for (const directory of [mounts, bundles, runtimeState, exits, namespaces, buildFiles])
      mkdirSync(directory, { recursive: true, mode: 0o700 });
  } finally {
    process.umask(previous);
  }
}
