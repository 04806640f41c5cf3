import { NotImplementedError, SystemError } from "#errors/errors.ts";
import type { CdiDevice, CdiEdits } from "#spec/cdi.ts";
import { type CdiFile, type CdiProblem, readDirectories } from "./read-directories.ts";

/** Where vendors' packages put their files, and where programs that look for devices do. */
export const DEFAULT_SPEC_DIRECTORIES: readonly string[] = ["/etc/cdi", "/var/run/cdi"];

export interface KnownDevice {
  /** `vendor.com/class=name`. */
  readonly name: string;
  /** The device's over its file's. */
  readonly annotations: Readonly<Record<string, string>>;
}

interface CatalogDevice extends KnownDevice {
  readonly file: CdiFile;
  readonly device: CdiDevice;
}

interface Catalog {
  readonly devices: ReadonlyMap<string, CatalogDevice>;
  readonly problems: readonly CdiProblem[];
}

/**
 * The devices that the host's CDI files describe. Files come and go with drivers and hot-plugged devices, so that they are read when somebody asks:
 * nothing is kept, nothing is watched.
 */
export class DeviceCatalog {
  /** In the order of precedence, the weakest first; none: this engine has no CDI. */
  readonly directories: readonly string[];

  constructor(directories: readonly string[]) {
    this.directories = directories;
  }

  /** All devices, sorted by name. */
  list(): readonly KnownDevice[] {
    return [...this.#read().devices.values()]
      .map(({ name, annotations }) => ({ name, annotations }))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** The files that are not used, and why. */
  problems(): readonly CdiProblem[] {
    return this.#read().problems;
  }

  /**
   * What a container that gets these devices needs, edits of files before those of their devices. Throws SystemError in dockerd's words for a
   * name that no file has, NotImplementedError for edits that Berth cannot make.
   */
  edits(names: readonly string[]): CdiEdits {
    const { devices, problems } = this.#read();
    const unknown = names.filter((name) => !devices.has(name));
    if (unknown.length > 0) throw unresolvable(unknown, problems);
    const files = new Set<CdiFile>();
    const parts = [...new Set(names)].flatMap((name) => {
      const known = devices.get(name);
      if (!known) return [];
      const isFirst = !files.has(known.file);
      files.add(known.file);
      const edits = [...(isFirst ? [known.file.spec.containerEdits ?? {}] : []), known.device.containerEdits];
      for (const edit of edits) refuseForeign(edit, known);
      return edits;
    });
    return {
      env: parts.flatMap(({ env = [] }) => env),
      deviceNodes: parts.flatMap(({ deviceNodes = [] }) => deviceNodes),
      hooks: parts.flatMap(({ hooks = [] }) => hooks),
      mounts: parts.flatMap(({ mounts = [] }) => mounts),
      additionalGids: parts.flatMap(({ additionalGids = [] }) => additionalGids),
    };
  }

  /** Where these devices mount something in a container. */
  mountTargets(names: readonly string[]): readonly string[] {
    return names.length === 0 ? [] : (this.edits(names).mounts ?? []).map(({ containerPath }) => containerPath);
  }

  /** A later directory overrides; two files of one directory that name the same device take it from each other. */
  #read(): Catalog {
    const { files, problems: unread } = readDirectories(this.directories);
    const problems = [...unread];
    const devices = new Map<string, CatalogDevice>();
    const conflicts = new Set<string>();
    for (const known of files.flatMap(devicesOf)) {
      const { name, file } = known;
      const other = devices.get(name)?.file;
      if (other && other.priority === file.priority) {
        const paths = `${JSON.stringify(file.path)}, ${JSON.stringify(other.path)}`;
        problems.push({ path: file.path, message: `conflicting device ${JSON.stringify(name)} (specs ${paths})` });
        conflicts.add(name);
      } else devices.set(name, known);
    }
    for (const name of conflicts) devices.delete(name);
    return { devices, problems };
  }
}

function devicesOf(file: CdiFile): readonly CatalogDevice[] {
  const { spec } = file;
  return spec.devices.map((device) => ({
    name: `${spec.kind}=${device.name}`,
    annotations: { ...spec.annotations, ...device.annotations },
    file,
    device,
  }));
}

/** The files that were not read come after dockerd's words: one of them may be the reason. */
function unresolvable(names: readonly string[], problems: readonly CdiProblem[]): SystemError {
  const reasons = problems.map(({ message }) => `; ${message}`).join("");
  return new SystemError(`CDI device injection failed: unresolvable CDI devices ${names.join(", ")}${reasons}`);
}

function refuseForeign({ intelRdt, netDevices = [] }: CdiEdits, { name, file }: CatalogDevice): void {
  const what = intelRdt === undefined ? (netDevices.length > 0 ? "netDevices" : undefined) : "intelRdt";
  if (what === undefined) return;
  throw new NotImplementedError(
    `CDI device injection failed: ${name} needs ${what} (${file.path}), which this engine cannot set`,
  );
}
