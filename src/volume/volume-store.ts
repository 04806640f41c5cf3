/** Named and anonymous volumes of the local driver: a directory each under the data root. */
export interface VolumeStore {
  /** Makes (or returns) the volume. `name` obeys `[a-zA-Z0-9][a-zA-Z0-9_.-]+`; throws InvalidParameterError with Docker's words. */
  create(name: string, options?: VolumeOptions): Promise<Volume>;
  get(name: string): Volume | undefined;
  list(): readonly Volume[];
  /** Removes the directory. The caller has checked that no container uses it. Throws NotFoundError. */
  remove(name: string): Promise<void>;
  /**
   * Copies what the image has at `imagePath` into the volume when the volume is empty (Docker's copy-up): owner, mode, xattrs, times.
   * `imagePath` is opened beneath `rootfs` only. Nothing happens when it does not exist.
   */
  copyUp(volume: Volume, rootfs: string, imagePath: string): Promise<void>;
  /** Bytes on disk. */
  usage(volume: Volume): Promise<number>;
}

export interface VolumeOptions {
  readonly labels?: Readonly<Record<string, string>>;
  readonly driverOpts?: Readonly<Record<string, string>>;
  readonly anonymous?: boolean;
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
}
