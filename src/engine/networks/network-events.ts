import type { EventBus } from "#engine/events.ts";
import type { KnownNetwork } from "./network-registry.ts";

/** Tells what happened to a network, or to a container on it, with Docker's attributes. */
export function publishNetworkEvent(
  events: EventBus,
  network: KnownNetwork,
  action: "create" | "connect" | "disconnect" | "destroy",
  container?: string,
): void {
  events.publish("network", action, network.id, {
    ...(container === undefined ? {} : { container }),
    name: network.name,
    type: network.driver,
  });
}
