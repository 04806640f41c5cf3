import { readFileSync } from "node:fs";
import { errorCode, errorMessage, InvalidParameterError } from "#errors/errors.ts";
import type { OptionValues } from "./option-values.ts";

/** Namespaces of labels that are Docker's own. */
const RESERVED_LABEL = /^(?:com\.docker|io\.docker|org\.dockerproject)\./;
const DOMAIN = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?$/i;

/** What single values may be, in dockerd's words. Throws InvalidParameterError. */
export function validateOptions(values: OptionValues): void {
  checkModes(values);
  checkCounts(values);
  const labels = values.texts("label");
  for (const label of labels) checkLabel(label);
  checkLabelConflicts(labels);
  for (const domain of values.texts("dns-search")) {
    if (domain !== "." && (!DOMAIN.test(domain.trim()) || domain.length > 253))
      throw new InvalidParameterError(`${domain} is not a valid domain`);
  }
  if (values.text("bridge") !== "" && values.text("bip") !== "")
    throw new InvalidParameterError("You specified -b & --bip, mutually exclusive options. Please specify only one");
  if (values.switch("iptables") === false && values.switch("icc") === false)
    throw new InvalidParameterError(
      "You specified --iptables=false with --icc=false. ICC=false uses iptables to function. Please set --icc or --iptables to true",
    );
}

function checkModes(values: OptionValues): void {
  const ipc = values.text("default-ipc-mode");
  if (ipc === "host" || ipc === "none" || ipc.startsWith("container:"))
    throw new InvalidParameterError(
      `IPC mode "${ipc}" is not supported as default value; use "shareable" or "private"`,
    );
  if (!["", "shareable", "private"].includes(ipc))
    throw new InvalidParameterError(`default IPC mode setting (${ipc}) is invalid; use "shareable" or "private"`);
  const cgroup = values.text("default-cgroupns-mode");
  if (!["", "host", "private"].includes(cgroup))
    throw new InvalidParameterError(`default cgroup namespace mode (${cgroup}) is invalid; use "host" or "private"`);
  const format = values.text("log-format");
  if (!["", "text", "json"].includes(format)) throw new InvalidParameterError(`invalid log format: ${format}`);
}

function checkCounts(values: OptionValues): void {
  const named: readonly (readonly [string, string])[] = [
    ["max-concurrent-downloads", "max concurrent downloads"],
    ["max-concurrent-uploads", "max concurrent uploads"],
    ["max-download-attempts", "max download attempts"],
    ["mtu", "default MTU"],
  ];
  for (const [name, words] of named) {
    const value = values.count(name) ?? 0;
    if (value < 0) throw new InvalidParameterError(`invalid ${words}: ${value}`);
  }
  const mtu = values.count("mtu") ?? 0;
  if (mtu !== 0 && (mtu < 68 || mtu > 65_535)) throw new InvalidParameterError(`invalid default MTU: ${mtu}`);
}

function checkLabel(label: string): void {
  const name = label.split("=")[0] ?? "";
  if (!label.includes("=") || name === "") throw new InvalidParameterError(`bad attribute format: ${label}`);
  if (RESERVED_LABEL.test(name.toLowerCase()))
    throw new InvalidParameterError(
      `label ${label} is not allowed: the namespaces com.docker.*, io.docker.*, and org.dockerproject.* are reserved for internal use`,
    );
}

function checkLabelConflicts(labels: readonly string[]): void {
  const byName = new Map<string, string>();
  for (const label of labels) {
    const name = label.split("=")[0] ?? "";
    const other = byName.get(name);
    if (other !== undefined && other !== label)
      throw new InvalidParameterError(`conflict labels for ${label} and ${other}`);
    byName.set(name, label);
  }
}

/** The text of a seccomp profile, or one of the words that stand for one. Throws InvalidParameterError for a file that cannot be read. */
export function seccompProfile(path: string): string {
  if (path === "" || path === "builtin" || path === "default") return "default";
  if (path === "unconfined") return path;
  try {
    const text = readFileSync(path, "utf8");
    JSON.parse(text);
    return text;
  } catch (cause) {
    const problem = errorCode(cause) === "ENOENT" ? `open ${path}: no such file or directory` : errorMessage(cause);
    throw new InvalidParameterError(`opening seccomp profile (${path}) failed: ${problem}`, { cause });
  }
}

/** What the `features` of the configuration file may turn on and off. */
export interface Features {
  /** Devices of CDI files; undefined: not said. */
  readonly cdi: boolean | undefined;
}

/** `features`: what Berth always does may be asked for. Throws InvalidParameterError for what it never does. */
export function checkedFeatures(features: unknown): Features {
  let cdi: boolean | undefined;
  if (features === undefined) return { cdi };
  if (typeof features !== "object" || features === null || Array.isArray(features))
    throw new InvalidParameterError("json: cannot unmarshal features into a map[string]bool");
  for (const [name, isWanted] of Object.entries(features)) {
    if (name === "cdi" && typeof isWanted === "boolean") {
      cdi = isWanted;
      continue;
    }
    const always = ["buildkit", "containerd-snapshotter"].includes(name);
    if (isWanted === always) continue;
    throw new InvalidParameterError(
      always
        ? `feature "${name}" cannot be turned off: builds are BuildKit's, and images of several platforms are kept whole`
        : `feature "${name}" is not supported`,
    );
  }
  return { cdi };
}
