/** The flags that `run` and `create` share, by the type of their values. */
import type { MountRequest } from "#spec/docker-containers.ts";
import type { Flag } from "../grammar/flag.ts";
import type { DeviceFlags } from "./device-flags.ts";

type Flags<T, Names extends string> = Readonly<Record<Names, Flag<T>>>;

type Switches =
  | "init"
  | "interactive"
  | "no-healthcheck"
  | "rm"
  | "tty"
  | "quiet"
  | "publish-all"
  | "read-only"
  | "privileged"
  | "oom-kill-disable"
  | "disable-content-trust"
  | "use-api-socket"
  | "help";

type Texts =
  | "entrypoint"
  | "health-cmd"
  | "restart"
  | "stop-signal"
  | "user"
  | "workdir"
  | "cidfile"
  | "domainname"
  | "hostname"
  | "log-driver"
  | "name"
  | "platform"
  | "runtime"
  | "ip"
  | "ip6"
  | "mac-address"
  | "cgroup-parent"
  | "cgroupns"
  | "ipc"
  | "pid"
  | "userns"
  | "uts"
  | "cpuset-cpus"
  | "cpuset-mems"
  | "isolation"
  | "volume-driver";

type Numbers =
  | "health-interval"
  | "health-retries"
  | "health-start-interval"
  | "health-start-period"
  | "health-timeout"
  | "stop-timeout"
  | "shm-size"
  | "cpu-period"
  | "cpu-quota"
  | "cpu-shares"
  | "cpus"
  | "memory"
  | "memory-reservation"
  | "memory-swap"
  | "oom-score-adj"
  | "pids-limit"
  | "blkio-weight"
  | "cpu-count"
  | "cpu-percent"
  | "cpu-rt-period"
  | "cpu-rt-runtime"
  | "io-maxbandwidth"
  | "io-maxiops"
  | "kernel-memory"
  | "memory-swappiness";

type Lists =
  | "attach"
  | "env"
  | "env-file"
  | "group-add"
  | "annotation"
  | "label"
  | "label-file"
  | "log-opt"
  | "add-host"
  | "dns"
  | "dns-opt"
  | "dns-option"
  | "dns-search"
  | "expose"
  | "link"
  | "link-local-ip"
  | "net"
  | "net-alias"
  | "network"
  | "network-alias"
  | "publish"
  | "tmpfs"
  | "volume"
  | "volumes-from"
  | "cap-add"
  | "cap-drop"
  | "security-opt"
  | "sysctl"
  | "ulimit"
  | "storage-opt";

export type ContainerFlags = Flags<boolean, Switches> &
  Flags<string, Texts> &
  Flags<number, Numbers> &
  Flags<readonly string[], Lists> &
  DeviceFlags & { readonly mount: Flag<readonly MountRequest[]> };
