import { createServer } from "node:http2";
import type { Duplex } from "node:stream";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Control } from "#proto/control_pb.ts";
import { LLBBridge } from "#proto/gateway_pb.ts";
import { Health } from "#proto/health_pb.ts";
import { gatewayService } from "../gateway/gateway-service.ts";
import type { ControlParts } from "./control-parts.ts";
import { controlService } from "./control-service.ts";
import { healthService } from "./health-service.ts";

/** A client's requests are small but for a Dockerfile in one. */
const MAX_MESSAGE = 16 * 1024 * 1024;

/** Makes the server of `/grpc`; the function serves one connection until it closes. */
export function controlServer(parts: ControlParts): (connection: Duplex) => Promise<void> {
  const server = createServer(
    connectNodeAdapter({
      connect: false,
      grpcWeb: false,
      readMaxBytes: MAX_MESSAGE,
      acceptCompression: [],
      routes: (router) => {
        router.service(Control, controlService(parts));
        router.service(LLBBridge, gatewayService(parts));
        router.service(Health, healthService());
      },
    }),
  );
  return (connection) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    connection.once("close", resolve);
    server.emit("connection", connection);
    return promise;
  };
}
