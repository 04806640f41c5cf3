import { create, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { BuildError } from "#build/build-error.ts";
import { StatusSchema } from "#proto/rpc-status_pb.ts";

/** Where gRPC carries a status with details. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const DETAILS_HEADER = "grpc-status-details-bin";

/** BuildKit's details are JSON under the names of its Go types. https://github.com/moby/buildkit/blob/master/solver/errdefs/source.go */
const SOURCE_TYPE = "github.com/moby/buildkit/errdefs.Source+json";

/** One detail of an error: JSON under the name of a Go type. */
export interface ErrorDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/**
 * The value of {@link DETAILS_HEADER} for a build's failure: the lines of the Dockerfile that it is about, from which clients print an extract.
 * with `more`; undefined for an error about which nothing more is known. The RPC library writes details under Google's type URLs only, so this is written beside it.
 */
export function errorDetails(
  error: unknown,
  { code, rawMessage }: ConnectError,
  more: readonly ErrorDetail[],
): string | undefined {
  const details = [...sourceDetail(error), ...more].map(({ typeUrl, value }) => ({
    typeUrl,
    value: Buffer.from(value),
  }));
  if (details.length === 0) return undefined;
  const status = create(StatusSchema, { code, message: rawMessage, details });
  return Buffer.from(toBinary(StatusSchema, status)).toString("base64");
}

function sourceDetail(error: unknown): readonly ErrorDetail[] {
  if (!(error instanceof BuildError) || !error.definition || !error.failure.source) return [];
  const { startLine, endLine } = error.failure.source;
  const { name, lines } = error.definition;
  const source = {
    info: { filename: name, data: Buffer.from(lines.join("\n")).toString("base64"), language: "Dockerfile" },
    ranges: [{ start: { line: startLine }, end: { line: endLine } }],
  };
  return [{ typeUrl: SOURCE_TYPE, value: Buffer.from(JSON.stringify(source)) }];
}
