/**
 * A request that must fail, and how. What stands in braces is put in by the test: `{ambiguous}` (the beginning of several ids), `{ready}`, `{ended}`,
 * `{noprogram}`, `{nouser}` (exec instances), `{imageid}`, `{netsubnet}`, `{long}` (5000 letters). In the message `<id>` and `<id12>` are any ids,
 * `<any>` is what depends on the machine.
 */
export interface Fault {
  /** Method and path with query; without a version the newest is asked. */
  readonly call: string;
  /** A text is sent as it stands, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Docker's, where Docker has the call; for 304 there is none. */
  readonly message: string;
}
