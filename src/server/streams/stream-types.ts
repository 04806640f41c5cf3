import type { RequestContext } from "#server/request-context.ts";

/** What an attached stream carries. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach */
const RAW_STREAM = "application/vnd.docker.raw-stream";
const MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream";

/** The content type of a container's output. Before 1.42 the name of the framed form did not exist. */
export function streamType(request: RequestContext, terminal: boolean): string {
  return terminal || request.isBefore("1.42") ? RAW_STREAM : MULTIPLEXED_STREAM;
}
