/** Named and anonymous volumes of the local driver: a directory each under the data root. */
export interface VolumeStore {
  /** Makes (or returns) the volume. `name` obeys `[a-zA-Z0-9][a-zA-Z0-9_.-]+`; throws InvalidParameterError with Docker's words. */
  create(name: string, options?: VolumeOptions): Promise<Volume>;
  get(name: string): Volume | undefined;
  /** Notes that the container is written down that these volumes were made for: for the transaction that does so. */
  settle(names: readonly string[]): void;
  list(): readonly Volume[];
  /**
   * Notes a user of the volume, and mounts what the volume's options name unless that is mounted. Each user counts once. Returns the directory with
   * the data. Throws NotFoundError, and SystemError with the kernel's word.
   */
  use(name: string, user: string): Promise<string>;
  /** As `use` for a user whom an earlier engine noted: nothing is mounted. */
  adopt(name: string, user: string): void;
  /** Forgets a user; with the last one the mount goes. False: it was none. */
  release(name: string, user: string): Promise<boolean>;
  /** Takes mounts away that an earlier engine left and nobody has adopted. */
  releaseUnused(): Promise<void>;
  /** Removes the directory. The caller has checked that no container uses it. Throws NotFoundError. */
  remove(name: string): Promise<void>;
  /**
   * Copies what the image has at `imagePath` into the volume when the volume is empty (Docker's copy-up): owner, mode, xattrs, times.
   * `imagePath` is opened beneath `rootfs` only. Nothing happens when it does not exist.
   */
  copyUp(name: string, rootfs: string, imagePath: string): Promise<void>;
  /** As `copyUp`, for a part of the volume that the caller holds at `part`. */
  copyUpPart(name: string, part: string, rootfs: string, imagePath: string): Promise<void>;
  /** Whether `copyUp` would look at the image at all: the volume is empty, or a crash cut its filling short. */
  isUnfilled(name: string): Promise<boolean>;
  /** Bytes on disk. */
  usage(volume: Volume): Promise<number>;
}

export interface VolumeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
  readonly madeFor?: string;
}

export interface Volume {
  readonly name: string;
  readonly driver: "local";
  /** Absolute path of the data directory. */
  readonly mountpoint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly driverOpts: Readonly<Record<string, string>>;
  readonly anonymous: boolean;
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** Id of the container that it is made for, until that is written down: without it, after a crash, nobody would ever come for the volume. */
  readonly madeFor?: string;
}
