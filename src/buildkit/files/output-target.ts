/** Which of its outputs a client is sent. */
export interface OutputTarget {
  /** Place among those asked for, from 0. */
  readonly index: number;
  readonly signal: AbortSignal;
}

/** Clients with several outputs choose by this. https://github.com/moby/buildkit/blob/master/session/filesync/filesync.go */
export function outputHeaders({ index }: OutputTarget): Record<string, string> {
  return { "buildkit-attachable-exporter-id": String(index) };
}
