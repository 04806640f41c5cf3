import { hostname } from "node:os";
import type { MessageInitShape } from "@bufbuild/protobuf";
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

/** The one worker: this engine. No snapshotter is named, as buildx would then expect containerd's image store. */
export async function workerRecord(engine: Engine): Promise<MessageInitShape<typeof WorkerRecordSchema>> {
  const { networks } = engine.containers;
  const bridge = await networks.ready(networks.bridge());
  const { os, architecture, variant = "" } = hostPlatform();
  return {
    id: digestOf(`berth worker ${hostname()}`).slice("sha256:".length, "sha256:".length + 25),
    labels: {
      "org.mobyproject.buildkit.worker.executor": "berth",
      "org.mobyproject.buildkit.worker.hostname": hostname(),
      ...(bridge.ipv4?.gateway ? { [HOST_GATEWAY]: bridge.ipv4.gateway } : {}),
    },
    platforms: [{ os, architecture, variant }],
    buildkitVersion: VERSION,
  };
}
