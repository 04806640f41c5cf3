import { type BuildResult, buildFailure } from "#engine/builds/build-service.ts";
import type { SolveStatus } from "#spec/solve-status.ts";
import type { BuildKit } from "../buildkit.ts";
import type { RequestContext } from "../request-context.ts";
import { StatusFeed } from "./status-feed.ts";

/**
 * Answers a build of `version=2`: BuildKit's messages within the JSON stream, then the image's id. The client's pace does not hold up the
 * build. https://github.com/moby/moby/blob/master/daemon/internal/builder-next/builder.go
 */
export async function streamTrace(
  request: RequestContext,
  buildkit: BuildKit,
  run: (onStatus: (status: SolveStatus) => void) => Promise<BuildResult>,
): Promise<void> {
  const quiet = request.flag("q");
  const writer = request.stream("application/json");
  const feed = new StatusFeed();
  const following = (async () => {
    for await (const status of feed) {
      if (quiet) continue;
      const aux = Buffer.from(buildkit.statusBytes(status)).toString("base64");
      await writer.writeJsonLine({ id: "moby.buildkit.trace", aux });
    }
  })();
  // It is awaited below; until then nobody would see it fail.
  following.catch(() => undefined);
  const ended = await run(feed.push).then(
    ({ imageId }) => ({ imageId }),
    (error: unknown) => ({ message: buildFailure(error).message }),
  );
  feed.end();
  await following;
  if ("message" in ended) {
    const { message } = ended;
    await writer.writeJsonLine({ errorDetail: { message }, error: message });
  } else {
    await writer.writeJsonLine({ id: "moby.image.id", aux: { ID: ended.imageId } });
    if (quiet) await writer.writeJsonLine({ stream: `${ended.imageId}\n` });
  }
  writer.end();
}
