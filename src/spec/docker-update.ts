/** Docker Engine API, version 1.51: changes of a container. https://docs.docker.com/reference/api/engine/version/v1.51/#tag/Container/operation/ContainerUpdate */
import type { RestartPolicy } from "./docker-containers.ts";
import type { ContainerResources } from "./docker-resources.ts";

/** Body of `POST /containers/{id}/update`: what is absent or zero stays. */
export interface UpdateRequest extends ContainerResources {
  readonly RestartPolicy?: RestartPolicy;
}

export interface UpdateResponse {
  readonly Warnings: readonly string[] | null;
}
