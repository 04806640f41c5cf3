import { createHash } from "node:crypto";
import { readFileSync, statfsSync } from "node:fs";
import { arch, cpus, hostname, release, totalmem } from "node:os";
import type { SystemInformation } from "#engine/system/information.ts";
import type { RuntimeCatalog } from "#runtime/oci/catalog.ts";
import { runtimeWarnings } from "#runtime/oci/known-bad-versions.ts";
import { isCgroup2 } from "#sys/cgroup-version.ts";
import { exposureWarnings } from "./exposure.ts";
import type { LiveOptions } from "./live-options.ts";

/** statfs(2) magic numbers of the filesystems that data roots lie on. */
const FILESYSTEMS: Readonly<Record<number, string>> = {
  61267: "extfs",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  2035054128: "overlayfs",
  801189825: "zfs",
};

/** What `info` and `version` tell of the host. */
export function hostInformation(live: LiveOptions, catalog: RuntimeCatalog, conmonVersion: string): SystemInformation {
  const options = live.current;
  return {
    id: engineId(options.dataRoot),
    dataRoot: options.dataRoot,
    execRoot: options.execRoot,
    kernelVersion: release(),
    architecture: arch(),
    operatingSystem: osRelease("PRETTY_NAME") ?? "Linux",
    operatingSystemVersion: osRelease("VERSION_ID") ?? "",
    cpus: cpus().length,
    memory: totalmem(),
    hostname: hostname(),
    backingFilesystem: FILESYSTEMS[statfsSync(options.dataRoot).type] ?? "unknown",
    cgroupVersion: isCgroup2() ? "2" : "1",
    get runtime() {
      return defaultRuntime(catalog);
    },
    get runtimes() {
      return catalog.list();
    },
    conmonVersion,
    network: options.network,
    isExperimental: options.experimental,
    proxies: {
      http: process.env["HTTP_PROXY"] ?? process.env["http_proxy"] ?? "",
      https: process.env["HTTPS_PROXY"] ?? process.env["https_proxy"] ?? "",
      none: process.env["NO_PROXY"] ?? process.env["no_proxy"] ?? "",
    },
    get registryMirrors() {
      return live.current.registryMirrors;
    },
    get insecureRegistries() {
      return live.current.insecureRegistries;
    },
    get isDebug() {
      return live.current.logLevel === "debug";
    },
    get labels() {
      return live.current.labels;
    },
    get liveRestore() {
      return live.current.liveRestore;
    },
    get settings() {
      return live.current.containers;
    },
    get warnings() {
      const { defaultProgram } = catalog;
      const ofRuntime = defaultProgram ? runtimeWarnings(defaultProgram) : [];
      return [...ofRuntime, ...exposureWarnings(options.hosts, options.tls)];
    },
  };
}

/** Of one that was not found, or not asked yet after a reload, Docker has "N/A" for a version. */
function defaultRuntime({ defaultName, defaultProgram }: RuntimeCatalog): SystemInformation["runtime"] {
  return { name: defaultName, version: defaultProgram?.version ?? "N/A" };
}

function engineId(dataRoot: string): string {
  const hash = createHash("sha256").update(`${hostname()}\0${dataRoot}`).digest("hex");
  return [hash.slice(0, 8), hash.slice(8, 12), hash.slice(12, 16), hash.slice(16, 20), hash.slice(20, 32)].join("-");
}

/** A value of /etc/os-release. https://www.freedesktop.org/software/systemd/man/latest/os-release.html */
function osRelease(key: string): string | undefined {
  try {
    return new RegExp(`^${key}="?([^"\\n]+)"?$`, "m").exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  } catch {
    return undefined;
  }
}
