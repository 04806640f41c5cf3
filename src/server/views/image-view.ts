import type { ImageInspect, ImageSummary } from "#spec/docker-images.ts";
import type { RequestContext } from "../request-context.ts";

/** One of `GET /images/json`, in the form of the client's API version. */
export function imageSummaryView(summary: ImageSummary, request: RequestContext): ImageSummary {
  const { Descriptor: descriptor, ...rest } = summary;
  const isNameless = summary.RepoTags.length === 0 && summary.RepoDigests.length === 0;
  return {
    ...rest,
    ...(descriptor && !request.isBefore("1.48") ? { Descriptor: descriptor } : {}),
    ...(isNameless && request.isBefore("1.43") ? { RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] } : {}),
    ...(request.isBefore("1.44") ? { VirtualSize: summary.Size } : {}),
  };
}

/** What Docker writes of a Config when the image says nothing, though the image's own document has no such fields. */
const ZERO_CONFIG = {
  User: "",
  Env: null,
  Cmd: null,
  Entrypoint: null,
  Volumes: null,
  WorkingDir: "",
  Labels: null,
  OnBuild: null,
};
/** Fields of containers that older versions have in an image's Config as well. */
const ZERO_CONTAINER_FIELDS = {
  Hostname: "",
  Domainname: "",
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: "",
};

/** `GET /images/{name}/json`, in the form of the client's API version. https://docs.docker.com/reference/api/engine/version-history/ */
export function imageInspectView(image: ImageInspect, request: RequestContext): ImageInspect {
  const { Descriptor: descriptor, ...rest } = image;
  const containerFields = request.isBefore("1.50") ? ZERO_CONTAINER_FIELDS : {};
  return {
    ...rest,
    ...(descriptor && !request.isBefore("1.48") ? { Descriptor: descriptor } : {}),
    Config: { ...containerFields, ...ZERO_CONFIG, ...image.Config },
    ...(request.isBefore("1.45")
      ? { Container: "", ContainerConfig: { ...ZERO_CONTAINER_FIELDS, ...ZERO_CONFIG } }
      : {}),
    ...(request.isBefore("1.44") ? { VirtualSize: image.Size } : {}),
  };
}
