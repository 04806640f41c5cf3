/**
 * How the engine and the service that outlives it talk. Records are files in a directory, which the service follows. On its socket there it says,
 * a line each: `service PID VERSION` first; `RECORD SERIAL` for each state of a record that it has taken up, `RECORD !REASON` for one that it could not,
 * `RECORD -` for one that it has let go of.
 */

/** The socket in the records' directory. */
export const CONTROL_SOCKET = "service.sock";
/** Changes with the records and with what is said of them. */
export const SERVICE_VERSION = "2";
export const WITHDRAWN = "-";
