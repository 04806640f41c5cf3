const POLYNOMIAL = 0x82f63b78;

/**
 * The kernel's `crc32c(seed, bytes)`: Castagnoli, reflected, without the usual final inversion.
 * Small inputs only: it goes bit by bit instead of keeping a table for one use per layer.
 */
export function crc32c(seed: number, bytes: Uint8Array): number {
  let crc = seed >>> 0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  }
  return crc >>> 0;
}
