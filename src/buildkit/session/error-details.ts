import { create, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { BuildError } from "#build/build-error.ts";
import { StatusSchema } from "#proto/rpc-status_pb.ts";

/** Where gRPC carries a status with details. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export const DETAILS_HEADER = "grpc-status-details-bin";

/** BuildKit's details are JSON under the names of its Go types. https://github.com/moby/buildkit/blob/master/solver/errdefs/source.go */
const SOURCE_TYPE = "github.com/moby/buildkit/errdefs.Source+json";

/**
 * The value of {@link DETAILS_HEADER} for a build's failure: the lines of the Dockerfile that it is about, from which clients print an extract.
 * undefined for an error that knows no lines. The RPC library writes details under Google's type URLs only, so this is written beside it.
 */
export function errorDetails(error: unknown, { code, rawMessage }: ConnectError): string | undefined {
  if (!(error instanceof BuildError) || !error.definition || !error.failure.source) return undefined;
  const { startLine, endLine } = error.failure.source;
  const { name, lines } = error.definition;
  const source = {
    info: { filename: name, data: Buffer.from(lines.join("\n")).toString("base64"), language: "Dockerfile" },
    ranges: [{ start: { line: startLine }, end: { line: endLine } }],
  };
  const details = [{ typeUrl: SOURCE_TYPE, value: Buffer.from(JSON.stringify(source)) }];
  const status = create(StatusSchema, { code, message: rawMessage, details });
  return Buffer.from(toBinary(StatusSchema, status)).toString("base64");
}
