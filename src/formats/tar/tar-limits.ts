/** Bounds on what a tar from outside may make Berth hold in memory. Past one of them the tar is refused, not cut. */
export interface TarLimits {
  /** Headers of every kind, in one archive. */
  readonly maxHeaders: number;
  /** Bytes of one PAX header, GNU long name or sparse map. Go's archive/tar has the same bound. */
  readonly maxExtensionBytes: number;
  /** Bytes of one path or link target: Linux's PATH_MAX without its NUL. */
  readonly maxPathBytes: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = {
  maxHeaders: 4_000_000,
  maxExtensionBytes: 1024 * 1024,
  maxPathBytes: 4095,
};
