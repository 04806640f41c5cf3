import { toGrpcError } from "../session/grpc-error.ts";

/** The answer of a call; errors in gRPC's terms. */
export async function answer<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw toGrpcError(error);
  }
}

/** The same for a call that answers with a stream. */
export async function* stream<T>(work: () => AsyncIterable<T>): AsyncGenerator<T, void, void> {
  try {
    yield* work();
  } catch (error) {
    throw toGrpcError(error);
  }
}
