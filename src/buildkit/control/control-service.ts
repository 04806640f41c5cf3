import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type {
  BuildHistoryRequest,
  Control,
  PruneRequest,
  SolveRequest,
  StatusRequest,
  UpdateBuildHistoryRequest,
} from "#proto/control_pb.ts";
import { controlSolve } from "../solve/control-solve.ts";
import { statusMessage } from "../status/status-message.ts";
import type { ControlParts } from "./control-parts.ts";
import { answer, answerSolve, stream } from "./grpc-answer.ts";
import { historyEvents } from "./history-events.ts";
import { tunnelledSession } from "./tunnelled-session.ts";
import { prune, usageRecords } from "./usage-records.ts";
import { VERSION, workerRecord } from "./worker-record.ts";

/** BuildKit's control API. https://github.com/moby/buildkit/blob/master/control/control.go */
export function controlService(parts: ControlParts): ServiceImpl<typeof Control> {
  const { engine, jobs } = parts;
  return {
    listWorkers: () => answer(async () => ({ record: [await workerRecord(engine)] })),
    info: () => ({ buildkitVersion: VERSION }),
    solve: (request: SolveRequest, context: HandlerContext) =>
      answerSolve(context, async () => ({ exporterResponse: await controlSolve(parts, request, context.signal) })),
    status: ({ ref }: StatusRequest, { signal }: HandlerContext) =>
      stream(async function* () {
        for await (const status of (await jobs.find(ref, signal)).statuses(signal)) yield statusMessage(status);
      }),
    session: (requests, context) => stream(() => tunnelledSession(parts.sessions, requests, context)),
    diskUsage: (request) => answer(async () => ({ record: usageRecords(engine, request) })),
    prune: (request: PruneRequest) =>
      stream(async function* () {
        yield* await prune(engine, request);
      }),
    listenBuildHistory: (request: BuildHistoryRequest, { signal }: HandlerContext) =>
      stream(() => historyEvents(engine, request, signal)),
    updateBuildHistory: (request: UpdateBuildHistoryRequest) =>
      answer(async () => {
        if (request.delete) engine.builds.history.remove([request.ref]);
        else if (!request.finalize) engine.builds.history.pin(request.ref, request.pinned);
        return {};
      }),
  };
}
