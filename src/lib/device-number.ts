/** glibc's dev_t: 32 bits of major and minor each, interleaved so that small numbers stay as they were in 16 bits. */
export function deviceNumber(major: number, minor: number): bigint {
  const wideMajor = BigInt(major);
  const wideMinor = BigInt(minor);
  return (
    ((wideMajor & 0xffff_f000n) << 32n) |
    ((wideMajor & 0xfffn) << 8n) |
    ((wideMinor & 0xffff_ff00n) << 12n) |
    (wideMinor & 0xffn)
  );
}

/** The major and minor number in a `Stats.rdev`. */
export function splitDeviceNumber(device: number): { readonly major: number; readonly minor: number } {
  const wide = BigInt(device);
  return {
    major: Number(((wide >> 32n) & 0xffff_f000n) | ((wide >> 8n) & 0xfffn)),
    minor: Number(((wide >> 12n) & 0xffff_ff00n) | (wide & 0xffn)),
  };
}
