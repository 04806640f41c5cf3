/** The flags that `run` and `create` share: docker's names, types and texts. https://github.com/docker/cli/blob/v28.2.2/cli/command/container/opts.go */
import { InvalidParameterError } from "#errors/errors.ts";
import { parseDuration } from "#formats/go-duration.ts";
import { booleanFlag, type Flag, integerFlag, listFlag, stringFlag, valueFlag } from "../grammar/flag.ts";
import { checkExtraHost, checkNameServer, checkSearchDomain, checkUlimit } from "./checks.ts";
import type { ContainerFlags } from "./container-flag-types.ts";
import { DEVICE_FLAGS } from "./device-flags.ts";
import { mountFlag } from "./mounts.ts";
import { checkLink, checkNetwork } from "./networks.ts";
import { bytesFlag, memorySwapFlag } from "./size-flags.ts";

/** A whole number that is not negative. */
function unsignedFlag(usage: string, type: "uint" | "uint16"): Flag<number> {
  const most = type === "uint16" ? 65535 : Number.MAX_SAFE_INTEGER;
  return valueFlag(usage, { type, initial: 0 }, (text) => {
    if (!/^\d+$/.test(text)) throw new InvalidParameterError(`strconv.ParseUint: parsing "${text}": invalid syntax`);
    if (Number(text) > most)
      throw new InvalidParameterError(`strconv.ParseUint: parsing "${text}": value out of range`);
    return Number(text);
  });
}

/** `30s`, in nanoseconds. */
function durationFlag(usage: string): Flag<number> {
  return valueFlag(usage, { type: "duration", initial: 0, defaultText: "0s" }, parseDuration);
}

/** `1.5` CPUs, in billionths. */
function readCpus(text: string): number {
  const match = /^[+-]?(\d+\.?\d*|\.\d+)$/.exec(text);
  if (!match) throw new InvalidParameterError(`failed to parse ${text} as a rational number`);
  if ((text.split(".")[1] ?? "").replace(/0+$/, "").length > 9) throw new InvalidParameterError("value is too precise");
  return Math.round(Number(text) * 1e9);
}

function mapFlag(usage: string, check?: (value: string) => string): Flag<readonly string[]> {
  return listFlag(usage, { type: "map", defaultText: "map[]", ...(check ? { check } : {}) });
}

function checkSysctl(value: string): string {
  if (
    !/^(kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|net\..+|fs\.mqueue\..+)=/.test(value)
  ) {
    throw new InvalidParameterError(`sysctl '${value}' is not allowed`);
  }
  return value;
}

/** Names of streams, upper or lower case. */
function checkStream(value: string): string {
  const name = value.toLowerCase();
  if (!["stdin", "stdout", "stderr"].includes(name)) {
    throw new InvalidParameterError("valid streams are STDIN, STDOUT and STDERR");
  }
  return name;
}

/** `NAME` alone takes the value from the client's environment, later. */
export function checkEnvironment(value: string): string {
  if (value === "" || value.startsWith("=")) throw new InvalidParameterError(`invalid environment variable: ${value}`);
  return value;
}

function checkLabel(value: string): string {
  if (value === "" || value.startsWith("=")) throw new InvalidParameterError(`invalid label '${value}': empty name`);
  return value;
}

/** What the process is: command, user, environment, standard streams, life cycle. */
const PROCESS_FLAGS = {
  attach: listFlag("Attach to STDIN, STDOUT or STDERR", { short: "a", check: checkStream }),
  entrypoint: stringFlag("Overwrite the default ENTRYPOINT of the image"),
  env: listFlag("Set environment variables", { short: "e", check: checkEnvironment }),
  "env-file": listFlag("Read in a file of environment variables"),
  "group-add": listFlag("Add additional groups to join"),
  "health-cmd": stringFlag("Command to run to check health"),
  "health-interval": durationFlag("Time between running the check (ms|s|m|h)"),
  "health-retries": integerFlag("Consecutive failures needed to report unhealthy"),
  "health-start-interval": durationFlag("Time between running the check during the start period (ms|s|m|h)"),
  "health-start-period": durationFlag(
    "Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)",
  ),
  "health-timeout": durationFlag("Maximum time to allow one check to run (ms|s|m|h)"),
  init: booleanFlag("Run an init inside the container that forwards signals and reaps processes"),
  interactive: booleanFlag("Keep STDIN open even if not attached", { short: "i" }),
  "no-healthcheck": booleanFlag("Disable any container-specified HEALTHCHECK"),
  restart: stringFlag("Restart policy to apply when a container exits", { initial: "no" }),
  rm: booleanFlag("Automatically remove the container and its associated anonymous volumes when it exits"),
  "stop-signal": stringFlag("Signal to stop the container"),
  "stop-timeout": integerFlag("Timeout (in seconds) to stop a container"),
  tty: booleanFlag("Allocate a pseudo-TTY", { short: "t" }),
  user: stringFlag("Username or UID (format: <name|uid>[:<group|gid>])", { short: "u" }),
  workdir: stringFlag("Working directory inside the container", { short: "w" }),
};

/** What the container is called and where its output goes. */
const METADATA_FLAGS = {
  annotation: mapFlag("Add an annotation to the container (passed through to the OCI runtime)"),
  cidfile: stringFlag("Write the container ID to the file"),
  "disable-content-trust": booleanFlag("Skip image verification", { initial: true }),
  domainname: stringFlag("Container NIS domain name"),
  // Listed because -h is the host name here.
  help: booleanFlag("Print usage"),
  hostname: stringFlag("Container host name", { short: "h" }),
  label: listFlag("Set meta data on a container", { short: "l", check: checkLabel }),
  "label-file": listFlag("Read in a line delimited file of labels"),
  "log-driver": stringFlag("Logging driver for the container"),
  "log-opt": listFlag("Log driver options"),
  name: stringFlag("Assign a name to the container"),
  platform: stringFlag("Set platform if server is multi-platform capable"),
  quiet: booleanFlag("Suppress the pull output", { short: "q" }),
  runtime: stringFlag("Runtime to use for this container"),
};

const NETWORK_FLAGS = {
  "add-host": listFlag("Add a custom host-to-IP mapping (host:ip)", { check: checkExtraHost }),
  dns: listFlag("Set custom DNS servers", { check: checkNameServer }),
  "dns-opt": listFlag("Set DNS options", { hidden: true }),
  "dns-option": listFlag("Set DNS options"),
  "dns-search": listFlag("Set custom DNS search domains", { check: checkSearchDomain }),
  expose: listFlag("Expose a port or a range of ports"),
  ip: stringFlag("IPv4 address (e.g., 172.30.100.104)"),
  ip6: stringFlag("IPv6 address (e.g., 2001:db8::33)"),
  link: listFlag("Add link to another container", { check: checkLink }),
  "link-local-ip": listFlag("Container IPv4/IPv6 link-local addresses"),
  "mac-address": stringFlag("Container MAC address (e.g., 92:d0:c6:0a:29:33)"),
  net: listFlag("Connect a container to a network", { type: "network", hidden: true, check: checkNetwork }),
  "net-alias": listFlag("Add network-scoped alias for the container", { hidden: true }),
  network: listFlag("Connect a container to a network", { type: "network", check: checkNetwork }),
  "network-alias": listFlag("Add network-scoped alias for the container"),
  publish: listFlag("Publish a container's port(s) to the host", { short: "p" }),
  "publish-all": booleanFlag("Publish all exposed ports to random ports", { short: "P" }),
};

const FILE_FLAGS = {
  mount: mountFlag("Attach a filesystem mount to the container"),
  "read-only": booleanFlag("Mount the container's root filesystem as read only"),
  "shm-size": bytesFlag("Size of /dev/shm"),
  tmpfs: listFlag("Mount a tmpfs directory"),
  "storage-opt": listFlag("Storage driver options for the container"),
  "use-api-socket": booleanFlag("Bind mount Docker API socket and required auth"),
  volume: listFlag("Bind mount a volume", { short: "v" }),
  "volume-driver": stringFlag("Optional volume driver for the container"),
  "volumes-from": listFlag("Mount volumes from the specified container(s)"),
};

const SECURITY_FLAGS = {
  "cap-add": listFlag("Add Linux capabilities"),
  "cap-drop": listFlag("Drop Linux capabilities"),
  "cgroup-parent": stringFlag("Optional parent cgroup for the container"),
  cgroupns: stringFlag(
    "Cgroup namespace to use (host|private)\n" +
      "'host':    Run the container in the Docker host's cgroup namespace\n" +
      "'private': Run the container in its own private cgroup namespace\n" +
      "'':        Use the cgroup namespace as configured by the\n" +
      "           default-cgroupns-mode option on the daemon (default)",
  ),
  isolation: stringFlag("Container isolation technology"),
  ipc: stringFlag("IPC mode to use"),
  pid: stringFlag("PID namespace to use"),
  privileged: booleanFlag("Give extended privileges to this container"),
  "security-opt": listFlag("Security Options"),
  sysctl: mapFlag("Sysctl options", checkSysctl),
  userns: stringFlag("User namespace to use"),
  uts: stringFlag("UTS namespace to use"),
};

const LIMIT_FLAGS = {
  "blkio-weight": unsignedFlag(
    "Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)",
    "uint16",
  ),
  "cpu-count": integerFlag("CPU count (Windows only)"),
  "cpu-percent": integerFlag("CPU percent (Windows only)"),
  "cpu-rt-period": integerFlag("Limit CPU real-time period in microseconds"),
  "cpu-rt-runtime": integerFlag("Limit CPU real-time runtime in microseconds"),
  "io-maxbandwidth": bytesFlag("Maximum IO bandwidth limit for the system drive (Windows only)"),
  "io-maxiops": unsignedFlag("Maximum IOps limit for the system drive (Windows only)", "uint"),
  "kernel-memory": bytesFlag("Kernel memory limit"),
  "memory-swappiness": integerFlag("Tune container memory swappiness (0 to 100)", { initial: -1 }),
  "cpu-period": integerFlag("Limit CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integerFlag("Limit CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-shares": integerFlag("CPU shares (relative weight)", { short: "c" }),
  cpus: valueFlag("Number of CPUs", { type: "decimal", initial: 0 }, readCpus),
  "cpuset-cpus": stringFlag("CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": stringFlag("MEMs in which to allow execution (0-3, 0,1)"),
  memory: bytesFlag("Memory limit", { short: "m" }),
  "memory-reservation": bytesFlag("Memory soft limit"),
  "memory-swap": memorySwapFlag("Swap limit equal to memory plus swap: '-1' to enable unlimited swap"),
  "oom-kill-disable": booleanFlag("Disable OOM Killer"),
  "oom-score-adj": integerFlag("Tune host's OOM preferences (-1000 to 1000)"),
  "pids-limit": integerFlag("Tune container pids limit (set -1 for unlimited)"),
  ulimit: listFlag("Ulimit options", { type: "ulimit", defaultText: "[]", check: checkUlimit }),
};

export const CONTAINER_FLAGS: ContainerFlags = {
  ...PROCESS_FLAGS,
  ...METADATA_FLAGS,
  ...NETWORK_FLAGS,
  ...FILE_FLAGS,
  ...DEVICE_FLAGS,
  ...SECURITY_FLAGS,
  ...LIMIT_FLAGS,
};
