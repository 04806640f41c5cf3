import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { BuildError } from "#build/build-error.ts";
import { CancelledError } from "#errors/errors.ts";
import { DETAILS_HEADER, type ErrorDetail, errorDetails } from "../session/error-details.ts";
import { toGrpcError } from "../session/grpc-error.ts";

/** The answer of a call; errors in gRPC's terms. */
export async function answer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toGrpcError(error);
  }
}

/**
 * The answer of a call that builds. Clients print the name of every other code than Unknown before the message, and `failed to solve: ` of
 * their own before all; what they need to show the lines of the Dockerfile goes along.
 */
export async function answerSolve<T>(
  context: HandlerContext,
  work: () => Promise<T>,
  moreDetails: (error: unknown) => Promise<readonly ErrorDetail[]> = async () => [],
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const known = toGrpcError(error);
    const isCancelled = error instanceof CancelledError || known.code === Code.Canceled;
    const text = error instanceof BuildError ? known.rawMessage.replace(/^failed to solve: /, "") : known.rawMessage;
    const failure = new ConnectError(text, isCancelled ? Code.Canceled : Code.Unknown, undefined, undefined, error);
    const details = errorDetails(error, failure, await moreDetails(error));
    if (details !== undefined) context.responseTrailer.set(DETAILS_HEADER, details);
    throw failure;
  }
}

/** As `answer`, for a call that answers with a stream. */
export async function* stream<T>(work: () => AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* work();
  } catch (error) {
    throw toGrpcError(error);
  }
}
