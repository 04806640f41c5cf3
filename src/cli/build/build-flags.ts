import { InvalidParameterError } from "#errors/errors.ts";
import { parseReference } from "#formats/reference.ts";
import type { Invocation } from "../grammar/command.ts";
import { booleanFlag, type Flag, integerFlag, listFlag, stringFlag } from "../grammar/flag.ts";
import { checkExtraHost, checkUlimit } from "../run/checks.ts";
import { bytesFlag, memorySwapFlag } from "../run/size-flags.ts";
import { checkAttest } from "./attestations.ts";
import { builderFlag } from "./builder-flag.ts";

type Flags<T, Names extends string> = Readonly<Record<Names, Flag<T>>>;

type Switches =
  | "compress"
  | "force-rm"
  | "rm"
  | "advise"
  | "check"
  | "explain"
  | "load"
  | "no-cache"
  | "plan"
  | "push"
  | "pull"
  | "quiet"
  | "squash"
  | "twice";

type Texts =
  | "cgroup-parent"
  | "cpuset-cpus"
  | "cpuset-mems"
  | "provenance"
  | "sbom"
  | "call"
  | "file"
  | "format"
  | "iidfile"
  | "metadata-file"
  | "network"
  | "platform"
  | "progress"
  | "target"
  | "builder";

type Lists =
  | "add-host"
  | "annotation"
  | "allow"
  | "build-arg"
  | "build-context"
  | "cache-from"
  | "cache-to"
  | "ulimit"
  | "attest"
  | "label"
  | "output"
  | "no-cache-filter"
  | "secret"
  | "ssh"
  | "tag";

type Numbers = "cpu-period" | "cpu-quota" | "cpu-shares" | "memory" | "shm-size" | "memory-swap";

type BuildFlags = Flags<boolean, Switches> &
  Flags<string, Texts> &
  Flags<readonly string[], Lists> &
  Flags<number, Numbers>;

/** Flags of `berth build`. */
export const BUILD_FLAGS: BuildFlags = {
  // Of docker's builders, and of no effect: what they ask for is always so.
  compress: booleanFlag("Compress the build context using gzip", { hidden: true }),
  "force-rm": booleanFlag("Always remove intermediate containers", { hidden: true }),
  rm: booleanFlag("Remove intermediate containers after a successful build", { hidden: true, initial: true }),
  advise: booleanFlag(
    "Say how recorded builds could have been shorter and smaller, with a diff of the Dockerfile; run nothing",
  ),
  "add-host": listFlag('Add a custom host-to-IP mapping ("host:ip")', { check: checkExtraHost }),
  annotation: listFlag("Add annotation to the image", { type: "stringArray" }),
  allow: listFlag('Allow extra privileged entitlement (e.g., "network.host", "security.insecure")'),
  "build-arg": listFlag("Set build-time variables"),
  "build-context": listFlag("Additional build contexts (e.g., name=path)"),
  "cache-from": listFlag('External cache sources (e.g., "user/app:cache", "type=local,src=path/to/dir")', {
    type: "stringArray",
  }),
  "cache-to": listFlag('Cache export destinations (e.g., "user/app:cache", "type=local,dest=path/to/dir")', {
    type: "stringArray",
  }),
  ...builderFlag,
  "cgroup-parent": stringFlag("Set the parent cgroup for the RUN instructions during build"),
  "cpu-period": integerFlag("Limit the CPU CFS (Completely Fair Scheduler) period"),
  "cpu-quota": integerFlag("Limit the CPU CFS (Completely Fair Scheduler) quota"),
  "cpu-shares": integerFlag("CPU shares (relative weight)", { short: "c" }),
  "cpuset-cpus": stringFlag("CPUs in which to allow execution (0-3, 0,1)"),
  "cpuset-mems": stringFlag("MEMs in which to allow execution (0-3, 0,1)"),
  memory: bytesFlag("Memory limit", { short: "m" }),
  "memory-swap": memorySwapFlag('Swap limit equal to memory plus swap: "-1" to enable unlimited swap'),
  ulimit: listFlag("Ulimit options", { type: "ulimit", check: checkUlimit }),
  attest: listFlag('Attestation parameters (format: "type=sbom,generator=image")', {
    type: "stringArray",
    check: checkAttest,
  }),
  provenance: stringFlag('Shorthand for "--attest=type=provenance"'),
  sbom: stringFlag('Shorthand for "--attest=type=sbom"'),
  call: stringFlag('Set method for evaluating build ("check", "outline", "targets")', { initial: "build" }),
  check: booleanFlag('Shorthand for "--call=check"'),
  explain: booleanFlag("Print all that went into the cache key of each step"),
  file: stringFlag('Name of the Dockerfile (Default is "PATH/Dockerfile")', { short: "f" }),
  format: stringFlag('Format of --plan and --advise: text, or "json"'),
  iidfile: stringFlag("Write the image ID to the file"),
  label: listFlag("Set metadata for an image"),
  load: booleanFlag('Shorthand for "--output=type=docker"'),
  "metadata-file": stringFlag("Write build result metadata to a file"),
  network: stringFlag("Set the networking mode for the RUN instructions during build", { initial: "default" }),
  "no-cache": booleanFlag("Do not use cache when building the image"),
  output: listFlag('Output destination (format: "type=local,dest=path")', { short: "o", type: "stringArray" }),
  "no-cache-filter": listFlag("Do not cache specified stages"),
  plan: booleanFlag(
    "Say which steps are cached and which would run, and why; run nothing (exit code 0: all cached, 2: not all)",
  ),
  platform: stringFlag("Set platform if server is multi-platform capable"),
  progress: stringFlag('Set type of progress output ("auto", "plain", "tty", "quiet", "rawjson")', { initial: "auto" }),
  push: booleanFlag('Shorthand for "--output=type=registry"'),
  pull: booleanFlag("Always attempt to pull a newer version of the image"),
  quiet: booleanFlag("Suppress the build output and print image ID on success", { short: "q" }),
  secret: listFlag('Secret to expose to the build (format: "id=mysecret[,src=/local/secret]")', {
    type: "stringArray",
  }),
  "shm-size": bytesFlag('Size of "/dev/shm"'),
  squash: booleanFlag("Squash newly built layers into a single new layer"),
  ssh: listFlag('SSH agent socket or keys to expose to the build (format: "default|<id>[=<socket>]")', {
    type: "stringArray",
  }),
  tag: listFlag('Name and optionally a tag in the "name:tag" format', { short: "t", check: checkTag }),
  twice: booleanFlag(
    "Build again without cache and say whether it gives the same (exit code 0), or the first file that differs (2)",
  ),
  target: stringFlag("Set the target build stage to build."),
};

export type BuildInvocation = Invocation<typeof BUILD_FLAGS>;

/** A name that cannot be given should fail before the build and not after it. */
function checkTag(value: string): string {
  if (parseReference(value).digest) throw new InvalidParameterError("build tag cannot contain a digest");
  return value;
}
