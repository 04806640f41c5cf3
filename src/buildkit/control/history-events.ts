import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { Engine } from "#engine/engine.ts";
import type { BuildHistoryEventSchema, BuildHistoryRequest } from "#proto/control_pb.ts";

type Event = MessageInitShape<typeof BuildHistoryEventSchema>;

const STARTED = 0;
const COMPLETE = 1;

/** The engine's build records as BuildKit's events, those that run as started, the others as complete. */
export function historyEvents(engine: Engine, request: BuildHistoryRequest): Event[] {
  const builds = engine.builds.history
    .list()
    .filter(({ id, status }) => (!request.ref || id === request.ref) && (!request.activeOnly || status === "running"));
  const chosen = request.limit > 0 ? builds.slice(0, request.limit) : builds;
  return chosen.map((build) => {
    const filename = build.dockerfile === "Dockerfile" ? {} : { filename: build.dockerfile };
    return {
      type: build.status === "running" ? STARTED : COMPLETE,
      record: {
        ref: build.id,
        frontend: "dockerfile.v0",
        frontendAttrs: {
          ...filename,
          ...(build.target ? { target: build.target } : {}),
          ...(build.context && build.context !== "-" ? { context: build.context } : {}),
        },
        createdAt: timestampFromMs(Math.round(build.created)),
        ...(build.completed === undefined ? {} : { completedAt: timestampFromMs(Math.round(build.completed)) }),
        ...(build.error === undefined ? {} : { error: { code: codeOf(build.status), message: build.error } }),
        exporterResponse: build.imageId ? { "containerimage.config.digest": build.imageId } : {},
        numCachedSteps: build.cachedSteps,
        numTotalSteps: build.stepCount,
        numCompletedSteps: build.stepCount,
      },
    };
  });
}

function codeOf(status: string): Code {
  return status === "canceled" ? Code.Canceled : Code.Unknown;
}
