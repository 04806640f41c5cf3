import { UnavailableError } from "#errors/errors.ts";
import { runCommand } from "#sys/command.ts";
import type { PortBinding } from "./network-driver.ts";

/**
 * Makes the kernel forget UDP flows to freshly published ports. It looks at the rules for the first packet of a flow only, and a flow
 * lasts while packets come: a client that never pauses would go on talking to the container that had the port before.
 * Docker does the same. Without the `conntrack` program such flows just last until the client pauses for 30 seconds.
 */
export async function forgetUdpFlows(ports: readonly PortBinding[]): Promise<void> {
  for (const { protocol, hostPort } of ports) {
    if (protocol !== "udp" || hostPort === 0) continue;
    try {
      // 1: no such flow.
      await runCommand("conntrack", ["--delete", "--proto", "udp", "--orig-port-dst", `${hostPort}`], {
        okCodes: [0, 1],
      });
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
  }
}
