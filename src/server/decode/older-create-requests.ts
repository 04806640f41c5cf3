import { InvalidParameterError } from "#errors/errors.ts";
import type { ContainerCreateRequest, HostConfig } from "#spec/docker-containers.ts";
import type { RequestContext } from "../request-context.ts";

/**
 * A request as its API version means it: fields that came later are ignored, and defaults are those of then.
 * https://github.com/moby/moby/blob/v28.2.2/api/server/router/container/container_routes.go (postContainersCreate)
 */
export function forVersion(
  body: ContainerCreateRequest,
  request: Pick<RequestContext, "isBefore">,
): ContainerCreateRequest {
  const endpoints = Object.keys(body.NetworkingConfig?.EndpointsConfig ?? {});
  if (request.isBefore("1.44") && endpoints.length > 1) {
    throw new InvalidParameterError(
      `Container cannot be created with multiple network endpoints: ${endpoints.join(", ")}`,
    );
  }
  const given = body.HostConfig ?? {};
  const { ConsoleSize, Annotations, KernelMemory, ...rest } = given;
  const hostConfig: HostConfig = {
    ...rest,
    // Once the client removed the container itself.
    ...(request.isBefore("1.25") ? { AutoRemove: false } : {}),
    ...(request.isBefore("1.40") && !given.IpcMode ? { IpcMode: "shareable" } : {}),
    // What is ignored from 1.42 on.
    ...(request.isBefore("1.42") && KernelMemory ? { KernelMemory } : {}),
    ...(!request.isBefore("1.42") && ConsoleSize ? { ConsoleSize } : {}),
    ...(!request.isBefore("1.43") && Annotations ? { Annotations } : {}),
  };
  return { ...body, HostConfig: hostConfig };
}
