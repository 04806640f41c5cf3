import { Code, ConnectError } from "@connectrpc/connect";
import { userMessage } from "#errors/disk-full.ts";
import { BerthError, CancelledError, type ErrorCode, InvalidParameterError, UnavailableError } from "#errors/errors.ts";

/** gRPC's codes for ours, as containerd's errdefs pairs them. https://grpc.io/docs/guides/status-codes/ */
const CODES: Readonly<Record<ErrorCode, Code>> = {
  "not-found": Code.NotFound,
  conflict: Code.AlreadyExists,
  "invalid-parameter": Code.InvalidArgument,
  "not-modified": Code.FailedPrecondition,
  unauthorized: Code.Unauthenticated,
  forbidden: Code.PermissionDenied,
  "not-implemented": Code.Unimplemented,
  unavailable: Code.Unavailable,
  "data-loss": Code.DataLoss,
  cancelled: Code.Canceled,
  system: Code.Unknown,
};

/** The error that a gRPC client gets for one of ours. */
export function toGrpcError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const code = error instanceof BerthError ? CODES[error.code] : Code.Unknown;
  return new ConnectError(userMessage(error), code, undefined, undefined, error);
}

/** An error of a call to the client, as one of ours: `action` says what failed. Our own pass through. */
export function fromClient(error: unknown, action: string): BerthError {
  if (error instanceof BerthError) return error;
  if (!(error instanceof ConnectError))
    return new UnavailableError(`${action}: ${userMessage(error)}`, { cause: error });
  if (error.cause instanceof BerthError) return error.cause;
  if (error.code === Code.Canceled || error.code === Code.Aborted)
    return new CancelledError("context canceled", { cause: error });
  const message = `${action}: ${error.rawMessage}`;
  return error.code === Code.Unavailable || error.code === Code.Unknown
    ? new UnavailableError(message, { cause: error })
    : new InvalidParameterError(message, { cause: error });
}

/** Whether a client answered that it does not serve the call or has not got the thing. */
export function isAbsent(error: unknown): boolean {
  return error instanceof ConnectError && (error.code === Code.NotFound || error.code === Code.Unimplemented);
}
