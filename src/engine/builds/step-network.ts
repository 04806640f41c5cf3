import type { BuildNetwork } from "#build/builder.ts";
import type { ContainerContext } from "#engine/containers/container-context.ts";
import { isRunning } from "#engine/containers/container-record.ts";
import { isUserDefined } from "#engine/networks/network-registry.ts";
import { ConflictError } from "#errors/errors.ts";
import { joinedContainer } from "#formats/joined-container.ts";
import type { NetworkRecord, NetworkSandbox } from "#network/network-driver.ts";
import { hostNameServers, readHostResolvConf } from "#network/resolv-conf.ts";

export type StepNetworkParts = Pick<
  ContainerContext,
  "networks" | "networkDriver" | "names" | "containers" | "settings"
>;

/** What a RUN step is connected to. */
export interface StepNetwork extends AsyncDisposable {
  readonly network: BuildNetwork["network"];
  /** 127.0.0.11 answers with the names of the network's containers. */
  readonly hasNames: boolean;
}

/**
 * `--network`: default (the bridge), none, host, `container:NAME`, or any network by name or id. Throws NotFoundError when there is no such
 * network or container, ConflictError for a container that does not run.
 */
export async function connectStep(parts: StepNetworkParts, stepId: string, mode: string): Promise<StepNetwork> {
  if (mode === "host") return shared({ kind: "host" });
  const container = joinedContainer(mode);
  if (container !== undefined) return shared(joinContainer(parts, container));
  return await openSandbox(parts, stepId, mode);
}

function shared(network: BuildNetwork["network"]): StepNetwork {
  return { network, hasNames: false, [Symbol.asyncDispose]: async () => {} };
}

function joinContainer({ containers }: StepNetworkParts, name: string): BuildNetwork["network"] {
  const other = containers.resolve(name);
  if (!isRunning(other)) {
    throw new ConflictError(
      `cannot join network namespace of a non running container: container ${other.name} is ${other.state.phase}`,
    );
  }
  if (!other.sandbox) throw new ConflictError(`container ${other.name} has no network namespace of its own to join`);
  return { kind: "path", netnsPath: other.sandbox.netnsPath };
}

async function openSandbox(parts: StepNetworkParts, stepId: string, mode: string): Promise<StepNetwork> {
  const { networks, networkDriver, names } = parts;
  const record = recordOf(parts, mode);
  // The network cannot go before the step.
  const held = networks.use(record ? [record] : []);
  const close = async (): Promise<void> => {
    try {
      names.withdraw(stepId);
      await networkDriver.close(stepId);
    } finally {
      held[Symbol.dispose]();
    }
  };
  try {
    const endpoints = record ? [{ network: await networks.ready(record) }] : [];
    const withNames = record !== undefined && isUserDefined(record.name);
    const sandbox = await networkDriver.open({ containerId: stepId, endpoints, ports: [], withNames });
    if (sandbox.hasNames) await publishStep(parts, sandbox);
    const network = { kind: "path" as const, netnsPath: sandbox.netnsPath };
    return { network, hasNames: sandbox.hasNames ?? false, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function recordOf({ networks }: StepNetworkParts, mode: string): NetworkRecord | undefined {
  if (mode === "none") return undefined;
  if (mode === "" || mode === "default" || mode === "bridge") return networks.defaultBridge();
  return networks.get(networks.resolve(mode).id);
}

/** A step asks for names; itself it is called by its short id, which nobody knows. */
async function publishStep({ names, settings }: StepNetworkParts, sandbox: NetworkSandbox): Promise<void> {
  const { containerId, netnsPath, endpoints } = sandbox;
  const servers = settings.dns.length > 0 ? settings.dns : hostNameServers(await readHostResolvConf());
  await names.publish({
    containerId,
    netnsPath,
    servers,
    networks: endpoints.map(({ networkId, networkName, ipv4, ipv6 }) => ({
      id: networkId,
      name: networkName,
      ipv4,
      ipv6,
      names: [containerId.slice(0, 12)],
      links: {},
    })),
  });
}
