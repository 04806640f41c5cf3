/** What an attached stream carries. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerAttach */
export const RAW_STREAM = "application/vnd.docker.raw-stream";
export const MULTIPLEXED_STREAM = "application/vnd.docker.multiplexed-stream";
