import { InvalidParameterError } from "#errors/errors.ts";
import type { PortRequest } from "#network/network-driver.ts";
import type { ContainerConfig, HostConfig } from "#spec/docker-containers.ts";

/** The ports to publish: HostConfig's bindings and, with PublishAllPorts, every exposed port that has none. */
export function portRequests(config: ContainerConfig, hostConfig: HostConfig): PortRequest[] {
  const requests: PortRequest[] = [];
  const bound = new Set<string>();
  for (const [port, bindings] of Object.entries(hostConfig.PortBindings ?? {})) {
    const { containerPort, protocol } = parsePort(port);
    bound.add(`${containerPort}/${protocol}`);
    for (const binding of bindings ?? []) {
      requests.push({ containerPort, protocol, hostIp: binding.HostIp ?? "", ...hostPorts(binding.HostPort) });
    }
  }
  if (hostConfig.PublishAllPorts) {
    for (const port of Object.keys(config.ExposedPorts ?? {})) {
      const { containerPort, protocol } = parsePort(port);
      if (!bound.has(`${containerPort}/${protocol}`))
        requests.push({ containerPort, protocol, hostIp: "", hostPort: 0 });
    }
  }
  return requests;
}

/** `80`, `80/tcp`, `53/udp`. Throws InvalidParameterError. */
export function parsePort(text: string): { containerPort: number; protocol: "tcp" | "udp" | "sctp" } {
  const match = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text);
  const containerPort = Number(match?.[1]);
  if (!match || containerPort < 1 || containerPort > 65535)
    throw new InvalidParameterError(`invalid port specification: "${text}"`);
  const protocol = (match[2] ?? "tcp").toLowerCase();
  return { containerPort, protocol: protocol === "udp" ? "udp" : protocol === "sctp" ? "sctp" : "tcp" };
}

/** A host port as clients send it: "" or "0" for any, a number, or a range of which the first free one is taken. */
function hostPorts(text = ""): Pick<PortRequest, "hostPort" | "lastHostPort"> {
  const [, first = "0", last = first] = /^(?:(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(text) ?? [undefined, "-1"];
  const [hostPort, lastHostPort] = [Number(first), Number(last)];
  if (hostPort < 0 || lastHostPort < hostPort || lastHostPort > 65_535)
    throw new InvalidParameterError(`invalid port specification: "${text}"`);
  return { hostPort, ...(lastHostPort > hostPort ? { lastHostPort } : {}) };
}
