import { type Decoder, object } from "#lib/json-decoder.ts";
import type { UpdateRequest } from "#spec/docker-update.ts";
import { restartPolicy } from "./host-config.ts";
import { RESOURCE_FIELDS } from "./resources.ts";

/** The body of `POST /containers/{id}/update`. */
export const decodeUpdateRequest: Decoder<UpdateRequest> = object<UpdateRequest>(
  { ...RESOURCE_FIELDS, RestartPolicy: restartPolicy },
  {},
);
