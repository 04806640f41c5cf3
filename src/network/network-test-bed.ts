/** Real networks for tests: bridges, namespaces and rules under names of their own; all traffic stays on this machine. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorCode } from "#errors/errors.ts";
import { LinuxNetworkDriver } from "./linux-network-driver.ts";
import { ServiceClient } from "./names/service-client.ts";
import type { EndpointRequest, NetworkEndpoint, NetworkRecord, NetworkSandbox, PortRequest } from "./network-driver.ts";
import { PortRelay } from "./relay/port-relay.ts";

export interface TestEngine {
  readonly driver: LinuxNetworkDriver;
  readonly name: string;
  readonly netnsDirectory: string;
  /** What relays its ports. */
  readonly service: ServiceClient;
  /** Its default network. */
  readonly network: NetworkRecord;
}

/** A sandbox together with its first endpoint. */
export type Connected = NetworkSandbox & NetworkEndpoint;

type Namespace = { readonly netnsPath: string };

const UNCHOSEN = { subnet: "", gateway: "", auxiliary: {}, chosen: true };
const RETRY = "retry=60,interval=0.05";

/** The engines and processes of one test; `close` ends them. */
export class NetworkTestBed {
  readonly scratch: string = mkdtempSync(join(tmpdir(), "berth-network-"));
  readonly #engines: TestEngine[] = [];
  readonly #children: ChildProcess[] = [];

  async newEngine(
    overrides: Partial<NetworkRecord> = {},
    name = `t${randomBytes(3).toString("hex")}`,
  ): Promise<TestEngine> {
    const netnsDirectory = join(this.scratch, name);
    const service = this.#newService(name);
    const driver = new LinuxNetworkDriver({
      engineName: name,
      netnsDirectory,
      relay: new PortRelay(service),
      spread: true,
    });
    const engine = { driver, name, netnsDirectory, service, network: networkRecord(`berth-${name}`) };
    this.#engines.push(engine);
    const record = { ...engine.network, name: "bridge", ...overrides };
    const network = await driver.ensureNetwork(record, () => undefined);
    const whole = { ...engine, network };
    this.#engines.splice(this.#engines.indexOf(engine), 1, whole);
    return whole;
  }

  /** Another driver object for the same engine, as after a crash of the first. */
  restart(engine: TestEngine): TestEngine {
    engine.driver.release();
    engine.service.close();
    const service = this.#newService(engine.name);
    const { name, netnsDirectory } = engine;
    const driver = new LinuxNetworkDriver({ engineName: name, netnsDirectory, relay: new PortRelay(service) });
    const restarted = { ...engine, driver, service };
    this.#engines.splice(this.#engines.indexOf(engine), 1, restarted);
    return restarted;
  }

  #newService(name: string): ServiceClient {
    const program = join(import.meta.dirname, "..", "main.ts");
    return new ServiceClient({
      directory: join(this.scratch, `${name}-names`),
      command: [process.execPath, program, "name-service"],
      onTrouble: () => undefined,
    });
  }

  startInside(namespace: Namespace, ...command: readonly string[]): void {
    // A group of its own: a server that forks for each client is ended with all of them.
    const options = { stdio: "ignore", detached: true } as const;
    this.#children.push(spawn("nsenter", [`--net=${namespace.netnsPath}`, ...command], options));
  }

  /** A server that tells each client the client's address. */
  serveTcp(namespace: Namespace, port: number, family: 4 | 6 = 4): void {
    const listen = `TCP${family}-LISTEN:${port},reuseaddr,fork`;
    this.startInside(namespace, "socat", listen, "SYSTEM:echo from $SOCAT_PEERADDR");
  }

  /** Resolves with what the engines have left behind: nothing. */
  async close(): Promise<readonly string[]> {
    for (const { pid } of this.#children.splice(0)) if (pid !== undefined) killGroup(pid);
    const left: string[] = [];
    for (const engine of this.#engines.splice(0)) {
      await engine.driver.cleanUp();
      await engine.service.cleanUp();
      left.push(...leftovers(engine.name), ...leftovers(`v${engine.name.slice(0, 6)}`));
    }
    rmSync(this.scratch, { recursive: true, force: true });
    return left;
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // It may have ended by itself.
    if (errorCode(error) !== "ESRCH") throw error;
  }
}

/** A network whose subnet is not yet chosen. */
export function networkRecord(interfaceName: string, overrides: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: randomBytes(32).toString("hex"),
    name: interfaceName,
    driver: "bridge",
    ipv4: UNCHOSEN,
    ipv6: undefined,
    interfaceName,
    internal: false,
    attachable: false,
    options: {},
    labels: {},
    created: Date.now(),
    ...overrides,
  };
}

/** A further network of the engine. */
export function addNetwork(engine: TestEngine, overrides: Partial<NetworkRecord> = {}): Promise<NetworkRecord> {
  const record = networkRecord(`n${engine.name}${randomBytes(2).toString("hex")}`, overrides);
  return engine.driver.ensureNetwork(record, () => undefined);
}

export function connect(engine: TestEngine, ports: readonly PortRequest[] = []): Promise<Connected> {
  return open(engine, randomBytes(32).toString("hex"), ports);
}

export async function open(
  engine: TestEngine,
  containerId: string,
  ports: readonly PortRequest[] = [],
  endpoint: Partial<EndpointRequest> = {},
): Promise<Connected> {
  const endpoints = [{ network: engine.network, ...endpoint }];
  const sandbox = await engine.driver.open({ containerId, endpoints, ports });
  const [first] = sandbox.endpoints;
  if (!first) throw new Error("no endpoint");
  return { ...sandbox, ...first };
}

export function published(containerPort: number, hostPort = 0, overrides: Partial<PortRequest> = {}): PortRequest {
  return { containerPort, hostPort, protocol: "tcp", hostIp: "", ...overrides };
}

/** Runs a program in the namespace; its standard output. */
export function inside(namespace: Namespace, ...command: readonly string[]): string {
  return execFileSync("nsenter", [`--net=${namespace.netnsPath}`, ...command], { encoding: "utf8", stdio: "pipe" });
}

export function askTcp(address: string, port: number, from?: Namespace): string {
  const target = address.includes(":") ? `TCP6:[${address}]` : `TCP4:${address}`;
  const args = ["-T", "3", "-", `${target}:${port},connect-timeout=3,${RETRY}`];
  return (from ? inside(from, "socat", ...args) : execFileSync("socat", args, { encoding: "utf8", input: "" })).trim();
}

export function refuses(address: string, port: number, from: Namespace): boolean {
  const target = address.includes(":") ? `TCP6:[${address}]` : `TCP4:${address}`;
  try {
    inside(from, "socat", "-T", "1", "-", `${target}:${port},connect-timeout=0.5`);
    return false;
  } catch {
    return true;
  }
}

export function pings(from: Namespace, address: string): boolean {
  try {
    return inside(from, "busybox", "ping", "-c", "1", "-W", "2", address).includes("1 packets received");
  } catch {
    return false;
  }
}

export function leftovers(name: string): readonly string[] {
  const links = execFileSync("ip", ["-brief", "link"], { encoding: "utf8" });
  const tables = execFileSync("nft", ["list", "tables"], { encoding: "utf8" });
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  return `${links}\n${tables}\n${mounts}`.split("\n").filter((line) => line.includes(name));
}
