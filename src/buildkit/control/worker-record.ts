import { hostname } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { isAutoAllowed } from "#build/graph/step-devices.ts";
import type { Engine } from "#engine/engine.ts";
import { BERTH_VERSION } from "#engine/version.ts";
import { digestOf } from "#formats/digest.ts";
import { hostPlatform } from "#formats/platform.ts";
import type { BuildkitVersionSchema, WorkerRecordSchema } from "#proto/worker_pb.ts";

/** Clients compare it: what we speak is BuildKit's API of that version. */
export const VERSION: MessageInitShape<typeof BuildkitVersionSchema> = {
  package: "berth",
  version: `v0.13.0+berth.${BERTH_VERSION}`,
  revision: "",
};

/** buildx puts this address in place of `host-gateway`. */
const HOST_GATEWAY = "org.mobyproject.buildkit.worker.moby.host-gateway-ip";

/**
 * buildx looks for it before it lets its docker driver export archives and caches and build for several platforms: dockerd names one when it keeps its
 * images in containerd, without which its builder can do none of that.
 */
const SNAPSHOTTER = "org.mobyproject.buildkit.worker.snapshotter";

/** The one worker: this engine. */
export async function workerRecord(engine: Engine): Promise<MessageInitShape<typeof WorkerRecordSchema>> {
  const { networks, settings, devices } = engine.containers;
  const known = networks.defaultBridge();
  const gateway = settings.hostGateway || (known && (await networks.ready(known)).ipv4?.gateway);
  const { os, architecture, variant = "" } = hostPlatform();
  return {
    id: digestOf(`berth worker ${hostname()}`).slice("sha256:".length, "sha256:".length + 25),
    labels: {
      "org.mobyproject.buildkit.worker.executor": "berth",
      "org.mobyproject.buildkit.worker.hostname": hostname(),
      [SNAPSHOTTER]: "erofs-overlay",
      ...(gateway ? { [HOST_GATEWAY]: gateway } : {}),
    },
    platforms: [{ os, architecture, variant }],
    buildkitVersion: VERSION,
    cdiDevices: devices.list().map(({ name, annotations }) => ({
      name,
      annotations: { ...annotations },
      autoAllow: isAutoAllowed(annotations),
    })),
  };
}
