import {
  ADDRESS,
  ADDRESSES,
  COUNT,
  JSON_VALUE,
  NESTED_MAP,
  type OptionKind,
  POOLS,
  RUNTIMES,
  SIZE,
  SWITCH,
  TEXT,
  TEXT_MAP,
  TEXTS,
  ULIMITS,
} from "./option-kinds.ts";

/** An option of the engine: a flag, a key of daemon.json, or both. */
export interface OptionDefinition {
  readonly name: string;
  /** Of daemon.json: lists are plural there. "" for flags that it does not have. */
  readonly key: string;
  readonly short?: string;
  readonly kind: OptionKind<unknown>;
  /** "" for what only daemon.json has, and for what is refused anyway. */
  readonly usage: string;
}

interface Extra {
  readonly key?: string;
  readonly short?: string;
}

function option(
  name: string,
  kind: OptionKind<unknown>,
  usage = "",
  { key = name, short }: Extra = {},
): OptionDefinition {
  return { name, key, kind, usage, ...(short ? { short } : {}) };
}

const NO_KEY = { key: "" };

/** All options, by name. https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file */
export const OPTIONS: readonly OptionDefinition[] = [
  option("add-runtime", RUNTIMES, "Register an additional OCI runtime as NAME=PATH", { key: "runtimes" }),
  option("allow-nondistributable-artifacts", TEXTS),
  option("api-cors-header", TEXT),
  option("authorization-plugin", TEXTS, "", { key: "authorization-plugins" }),
  option("bip", TEXT, "Address and prefix of the default bridge, like 172.30.0.1/24"),
  option("bip6", TEXT, "The same for IPv6, like fd00::1/64"),
  option("bridge", TEXT, 'An existing bridge for containers that name no network, or "none"', { short: "b" }),
  option("builder", JSON_VALUE),
  option("cdi-spec-dir", TEXTS, "Directories of CDI files; an empty name for none (default /etc/cdi, /var/run/cdi)", {
    key: "cdi-spec-dirs",
  }),
  option("cgroup-parent", TEXT, "Parent cgroup of all containers"),
  option(
    "clean-up",
    SWITCH,
    "Stop all containers of this data root, remove its mounts, bridge and rules, and exit",
    NO_KEY,
  ),
  option("config-file", TEXT, 'Daemon configuration file (default "/etc/berth/daemon.json")', NO_KEY),
  option("containerd", TEXT),
  option("containerd-namespace", TEXT),
  option("containerd-plugins-namespace", TEXT, "", { key: "containerd-plugin-namespace" }),
  option("cpu-rt-period", COUNT),
  option("cpu-rt-runtime", COUNT),
  option("cri-containerd", SWITCH),
  option("data-root", TEXT, 'Root directory of persistent state (default "/var/lib/berth")'),
  option("debug", SWITCH, "The same as --log-level debug", { short: "D" }),
  option("default-address-pool", POOLS, "Pool that networks get subnets from, as base=CIDR,size=BITS", {
    key: "default-address-pools",
  }),
  option("default-cgroupns-mode", TEXT, 'Cgroup namespace of containers ("host" | "private")'),
  option("default-gateway", ADDRESS, "IPv4 gateway of containers on the default bridge"),
  option("default-gateway-v6", ADDRESS, "IPv6 gateway of containers on the default bridge"),
  option("default-ipc-mode", TEXT, 'IPC mode of containers ("shareable" | "private") (default "private")'),
  option("default-network-opt", NESTED_MAP, "Options of new networks, as DRIVER=OPTION=VALUE", {
    key: "default-network-opts",
  }),
  option(
    "default-runtime",
    TEXT,
    'OCI runtime of containers: "runc", "crun" or an added one (default: crun where it works)',
  ),
  option("default-shm-size", SIZE, "Size of /dev/shm of containers (default 64MiB)"),
  option("default-ulimit", ULIMITS, "Ulimits of containers, as NAME=SOFT[:HARD]", { key: "default-ulimits" }),
  option("dns", ADDRESSES, "DNS servers of containers"),
  option("dns-opt", TEXTS, "DNS options of containers", { key: "dns-opts" }),
  option("dns-search", TEXTS, "DNS search domains of containers"),
  option("exec-opt", TEXTS, "Runtime execution options", { key: "exec-opts" }),
  option("exec-root", TEXT, 'Root directory of execution state (default "/run/berth")'),
  option("experimental", SWITCH, "Enable experimental features: there are none"),
  option("features", JSON_VALUE),
  option("firewall-backend", TEXT, 'Firewall that rules are made in: "nftables"'),
  option("fixed-cidr", TEXT, "IPv4 range of the default bridge that containers get addresses of"),
  option("fixed-cidr-v6", TEXT, "IPv6 subnet of the default bridge"),
  option("group", TEXT, "Group of the unix socket (default: the engine's own)", { short: "G" }),
  option("help", SWITCH, "Print usage", { ...NO_KEY, short: "h" }),
  option("host", TEXTS, "Where to listen: unix://PATH or tcp://HOST:PORT (default unix://EXEC_ROOT/berth.sock)", {
    key: "hosts",
    short: "H",
  }),
  option("host-gateway-ip", ADDRESS, "What host-gateway of --add-host means (default: the default bridge's gateway)"),
  option("http-proxy", TEXT, "Proxy for http:// registries"),
  option("https-proxy", TEXT, "Proxy for https:// registries"),
  option("icc", SWITCH, "Let containers on the default bridge talk to each other (default true)"),
  option("init", SWITCH, "Run an init in containers to forward signals and reap processes"),
  option("init-path", TEXT, "Path of the init program (default: docker-init, tini or catatonit)"),
  option("insecure-registry", TEXTS, "Registries that may be reached without TLS or with any certificate", {
    key: "insecure-registries",
  }),
  option("ip", ADDRESS, "Host address of ports that the default bridge's containers publish (default 0.0.0.0)"),
  option("ip-forward", SWITCH, "Let this host forward packets (default true)"),
  option("ip-forward-no-drop", SWITCH),
  option("ip-masq", SWITCH, "Give packets that leave the default bridge this host's address (default true)"),
  option("ip6tables", SWITCH, "The same as --iptables for IPv6 (default true)"),
  option("iptables", SWITCH, "Make firewall rules, in an nftables table of Berth's own (default true)"),
  option("ipv6", SWITCH, "Give the default bridge IPv6"),
  option("label", TEXTS, "Labels of the engine, as NAME=VALUE", { key: "labels" }),
  option("live-restore", SWITCH, "Keep containers running while the engine is stopped (default true)"),
  option("log-driver", TEXT, 'Default driver for container logs (default "json-file")'),
  option("log-format", TEXT, 'Format of the engine\'s log ("text" | "json") (default "text")'),
  option("log-level", TEXT, '"debug", "info", "warn", "error", "fatal" (default "info")', { short: "l" }),
  option("log-opt", TEXT_MAP, "Default log driver options for containers", { key: "log-opts" }),
  option("max-concurrent-downloads", COUNT, "Layers fetched at once by one pull (default 6)"),
  option("max-concurrent-uploads", COUNT, "Layers sent at once by one push (default 5)"),
  option("max-download-attempts", COUNT, "How often a request to a registry is tried (default 5)"),
  option("metrics-addr", TEXT, "Address and port of metrics for Prometheus"),
  option("mtu", COUNT, "MTU of the default bridge (default: this host's, at most 1500)"),
  option("network-control-plane-mtu", COUNT),
  option("no-new-privileges", SWITCH, "Set no-new-privileges for all containers that do not say otherwise"),
  option("no-proxy", TEXT, "Hosts that are reached without a proxy, apart by commas"),
  option("node-generic-resource", TEXTS, "", { key: "node-generic-resources" }),
  option("pidfile", TEXT, "File to write the engine's process id to", { short: "p" }),
  option("proxies", JSON_VALUE),
  option("raw-logs", SWITCH, "Without ANSI colors: Berth's log has none"),
  option("registry-mirror", TEXTS, "Mirrors of Docker Hub", { key: "registry-mirrors" }),
  option("rootless", SWITCH),
  option("seccomp-profile", TEXT, 'Seccomp profile of containers: a file, "builtin" or "unconfined"'),
  option("selinux-enabled", SWITCH),
  option("shutdown-timeout", COUNT, "Seconds that containers get to end when --live-restore=false (default 15)"),
  option("storage-driver", TEXT, "Storage driver: there is one", { short: "s" }),
  option("storage-opt", TEXTS, "", { key: "storage-opts" }),
  option("swarm-default-advertise-addr", TEXT),
  option("tls", SWITCH, "Use TLS on tcp:// hosts; implied by --tlsverify"),
  option("tlscacert", TEXT, 'Trust certs signed only by this CA (default "~/.docker/ca.pem")'),
  option("tlscert", TEXT, 'Path to TLS certificate file (default "~/.docker/cert.pem")'),
  option("tlskey", TEXT, 'Path to TLS key file (default "~/.docker/key.pem")'),
  option("tlsverify", SWITCH, "Use TLS and verify the remote"),
  option("userland-proxy", SWITCH, "Pass on what comes to IPv6 addresses for containers that have none (default true)"),
  option("userland-proxy-path", TEXT),
  option("userns-remap", TEXT),
  option("validate", SWITCH, "Check flags and configuration file, and exit", NO_KEY),
  option("version", SWITCH, "Print version information and quit", { ...NO_KEY, short: "v" }),
];

/** What only daemon.json has. */
export const FILE_ONLY: ReadonlySet<string> = new Set(["builder", "features", "proxies"]);

const BY_NAME: ReadonlyMap<string, OptionDefinition> = new Map(OPTIONS.map((one) => [one.name, one]));

/** By name or `-` and letter; undefined if there is none. */
export function findOption(name: string): OptionDefinition | undefined {
  return BY_NAME.get(name);
}

export function findShortOption(letter: string): OptionDefinition | undefined {
  return OPTIONS.find(({ short }) => short === letter);
}

/** The help of `berth daemon`. Options that are refused are not in it. */
export function daemonHelp(): string {
  const shown = OPTIONS.filter(({ usage }) => usage !== "").map(({ name, short, kind, usage }) => ({
    left: `${short ? `  -${short}, ` : "      "}--${name}${kind.placeholder ? ` ${kind.placeholder}` : ""}`,
    usage,
  }));
  const width = Math.max(...shown.map(({ left }) => left.length));
  const lines = shown.map(({ left, usage }) => `${left.padEnd(width)}   ${usage}`);
  return `Usage:  berth daemon [OPTIONS]

The engine: pulls, builds and runs containers for clients of its socket

Options:
${lines.join("\n")}
`;
}
