import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type StatusResponse, StatusResponseSchema } from "#proto/control_pb.ts";
import type { SolveStatus, Vertex, VertexLog, VertexStatus, VertexWarning } from "#spec/solve-status.ts";

type Init<K extends keyof MessageInitShape<typeof StatusResponseSchema>> = NonNullable<
  MessageInitShape<typeof StatusResponseSchema>[K]
>;

/** An update of the builder's as BuildKit's message. */
export function statusMessage(status: SolveStatus): StatusResponse {
  return create(StatusResponseSchema, {
    vertexes: (status.vertexes ?? []).map(vertexMessage),
    statuses: (status.statuses ?? []).map(statusOf),
    logs: [...(status.vertexes ?? []).flatMap(reasonLogs), ...(status.logs ?? []).map(logMessage)],
    warnings: (status.warnings ?? []).map(warningMessage),
  });
}

export function statusBytes(status: SolveStatus): Uint8Array {
  return toBinary(StatusResponseSchema, statusMessage(status));
}

function vertexMessage(vertex: Vertex): Init<"vertexes">[number] {
  return {
    digest: vertex.digest,
    inputs: [...(vertex.inputs ?? [])],
    name: vertex.name,
    cached: vertex.cached ?? false,
    error: vertex.error ?? "",
    ...times(vertex),
  };
}

function statusOf(status: VertexStatus): Init<"statuses">[number] {
  return {
    id: status.id,
    vertex: status.vertex,
    name: status.name ?? "",
    current: BigInt(Math.round(status.current)),
    total: BigInt(Math.round(status.total ?? 0)),
    timestamp: timestamp(status.timestamp),
    ...times(status),
  };
}

function logMessage(log: VertexLog): Init<"logs">[number] {
  return {
    vertex: log.vertex,
    timestamp: timestamp(log.timestamp),
    stream: BigInt(log.stream),
    msg: Buffer.from(log.data, "base64"),
  };
}

/** BuildKit has no field for why a step runs: as it begins, it says so itself. */
function reasonLogs({ digest, reasons = [], started, completed }: Vertex): Init<"logs"> {
  if (started === undefined || completed !== undefined) return [];
  return reasons.map((reason) => {
    return { vertex: digest, timestamp: timestamp(started), stream: 2n, msg: Buffer.from(`why: ${reason}\n`) };
  });
}

function warningMessage(warning: VertexWarning): Init<"warnings">[number] {
  return {
    vertex: warning.vertex,
    level: BigInt(warning.level),
    short: Buffer.from(warning.short, "base64"),
    detail: (warning.detail ?? []).map((line) => Buffer.from(line, "base64")),
    url: warning.url ?? "",
  };
}

function times(of: { readonly started?: string; readonly completed?: string }): {
  started?: Timestamp;
  completed?: Timestamp;
} {
  return {
    ...(of.started === undefined ? {} : { started: timestamp(of.started) }),
    ...(of.completed === undefined ? {} : { completed: timestamp(of.completed) }),
  };
}

function timestamp(time: string): Timestamp {
  return timestampFromMs(Date.parse(time));
}
