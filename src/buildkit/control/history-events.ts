import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import type { HistoryChange } from "#engine/builds/build-history.ts";
import type { Engine } from "#engine/engine.ts";
import { NotFoundError } from "#errors/errors.ts";
import { PushQueue } from "#lib/push-queue.ts";
import type { BuildHistoryEventSchema, BuildHistoryRequest } from "#proto/control_pb.ts";
import type { BuildSummary } from "#spec/build-record.ts";

type Event = MessageInitShape<typeof BuildHistoryEventSchema>;

const STARTED = 0;
const COMPLETE = 1;
const DELETED = 2;

/**
 * The engine's build records as BuildKit's events: those that there are, running ones as started, the others as complete; then, unless the client wants no
 * more than that, what happens until it goes.
 */
export async function* historyEvents(
  engine: Engine,
  request: BuildHistoryRequest,
  signal: AbortSignal,
): AsyncGenerator<Event, void, void> {
  const { history } = engine.builds;
  const isWanted = ({ id }: { readonly id: string }): boolean => !request.ref || id === request.ref;
  const changes = new PushQueue<HistoryChange>();
  // Before the list is read, so that nothing falls between.
  using _listening = history.listen((change) => void (isWanted(change) && changes.push(change)));
  const known = history
    .list()
    .filter((build) => isWanted(build) && (!request.activeOnly || build.status === "running"));
  yield* (request.limit > 0 ? known.slice(0, request.limit) : known).map(eventOf);
  if (request.earlyExit) return;
  const stop = (): void => changes.end();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const { kind, id } of changes) {
      if (kind === "deleted") yield { type: DELETED, record: { ref: id } };
      else if (kind === "started" || !request.activeOnly) yield* eventOfId(engine, id);
    }
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Nothing of a build whose record has gone meanwhile: that is told next. */
function eventOfId({ builds }: Engine, id: string): Event[] {
  try {
    return [eventOf(builds.history.summary(id))];
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}

function eventOf(build: BuildSummary): Event {
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
      pinned: build.pinned ?? false,
      numCachedSteps: build.cachedSteps,
      numTotalSteps: build.stepCount,
      numCompletedSteps: build.stepCount,
    },
  };
}

function codeOf(status: string): Code {
  return status === "canceled" ? Code.Canceled : Code.Unknown;
}
