import { InvalidParameterError } from "#errors/errors.ts";
import type { OptionValues } from "./option-values.ts";

/** What dockerd can and Berth cannot, and why. A switch that is off, or an empty list, asks for nothing. */
const REASONS: Readonly<Record<string, string>> = {
  "allow-nondistributable-artifacts": "layers that may not be distributed are never pushed",
  "api-cors-header": "requests of web pages are refused: put a proxy with its own authorisation before the engine",
  "authorization-plugin":
    "there are no plugins: who may use the engine is the socket's group, or has a TLS certificate",
  containerd: "there is no containerd: leave it out",
  "containerd-namespace": "there is no containerd: leave it out",
  "containerd-plugins-namespace": "there is no containerd: leave it out",
  "cpu-rt-period": "limit real-time CPU of single containers with --cpu-rt-period",
  "cpu-rt-runtime": "limit real-time CPU of single containers with --cpu-rt-runtime",
  "cri-containerd": "there is no containerd: leave it out",
  "ip-forward-no-drop": "Berth never sets the policy of the host's FORWARD chain: leave it out",
  "network-control-plane-mtu": "there is no swarm: leave it out",
  "node-generic-resource": "there is no swarm: leave it out",
  rootless: "the engine needs root",
  "selinux-enabled": "SELinux labels are not supported",
  "swarm-default-advertise-addr": "there is no swarm: leave it out",
  "userland-proxy-path": "the relay is part of Berth: leave it out",
  "userns-remap":
    "layers are shared by all containers as they are in the image, and would have to be mounted with other ids for each: run programs as another user with --user, or USER in the image",
};

/** Layers are always mounted by overlay: whoever asks for that gets it. */
const STORAGE_DRIVERS: readonly string[] = ["overlay2", "overlay", "overlayfs"];
/** What dockerd itself ignores since it needs kernel 4.0. */
const IDLE_STORAGE_OPTION = /^overlay2?\.override_kernel_check=/;

/** Throws InvalidParameterError for an option that cannot be honoured: it names it, and says why. */
export function refuseOptions(values: OptionValues): void {
  for (const [name, reason] of Object.entries(REASONS)) {
    const value = values.given(name);
    const isIdle = value === undefined || value === false || value === "" || value === 0 || isEmpty(value);
    if (!isIdle) throw new InvalidParameterError(`option ${name} is not supported: ${reason}`);
  }
  const driver = values.text("storage-driver");
  if (driver !== "" && !STORAGE_DRIVERS.includes(driver))
    throw new InvalidParameterError(
      `error initializing graphdriver: driver not supported: ${driver}: Berth mounts its layer files with overlay`,
    );
  const storage = values.texts("storage-opt").find((text) => !IDLE_STORAGE_OPTION.test(text));
  if (storage !== undefined)
    throw new InvalidParameterError(`overlay2: unknown option ${storage.split("=")[0]}: leave storage-opts out`);
  const backend = values.text("firewall-backend");
  if (backend !== "" && backend !== "nftables")
    throw new InvalidParameterError(`invalid firewall-backend "${backend}": Berth's rules are nftables'`);
  for (const option of values.texts("exec-opt")) checkExecOption(option);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function checkExecOption(option: string): void {
  const [name = "", value = ""] = option.split("=");
  if (name.toLowerCase() !== "native.cgroupdriver")
    throw new InvalidParameterError(`Unknown option (${name}) when initializing the runtime`);
  if (value !== "cgroupfs")
    throw new InvalidParameterError(
      `native.cgroupdriver option ${value} not supported: Berth makes cgroups itself (cgroupfs)`,
    );
}
