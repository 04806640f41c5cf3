/** What pull, push, load and build stream, line by line. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Image/operation/ImageCreate */
/** A line of pull, push, load and build streams. */
export interface JsonMessage {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message: string };
  readonly aux?: unknown;
}
