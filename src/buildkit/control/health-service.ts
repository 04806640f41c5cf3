import { once } from "node:events";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Health } from "#proto/health_pb.ts";

const SERVING = 1;

/** Who can ask is served. https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export function healthService(): ServiceImpl<typeof Health> {
  return {
    check: () => ({ status: SERVING }),
    async *watch(_, { signal }: HandlerContext) {
      yield { status: SERVING };
      // Nothing changes until one of both goes.
      if (!signal.aborted) await once(signal, "abort");
    },
  };
}
