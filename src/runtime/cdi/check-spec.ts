import { InvalidParameterError } from "#errors/errors.ts";
import { kindProblem, nameProblem, splitKind } from "#formats/cdi-name.ts";
import type { CdiDevice, CdiDeviceNode, CdiEdits, CdiHook, CdiSpec } from "#spec/cdi.ts";

/** https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md#released-versions */
const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0"];
const HOOKS = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"];

/** Throws InvalidParameterError in the words of CDI's library: `invalid CDI Spec: …`. */
export function checkSpec(spec: CdiSpec): void {
  const problem = specProblem(spec);
  if (problem !== undefined) throw new InvalidParameterError(`invalid CDI Spec: ${problem}`);
}

function specProblem(spec: CdiSpec): string | undefined {
  const names = spec.devices.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return (
    versionProblem(spec) ??
    kindProblem(spec.kind) ??
    editsProblem(spec.containerEdits ?? {}) ??
    firstOf(spec.devices, deviceProblem) ??
    (twice === undefined ? undefined : `invalid spec, multiple device ${JSON.stringify(twice)}`) ??
    (names.length === 0 ? "invalid spec, no devices" : undefined)
  );
}

/** A file must say at least the version whose fields it uses. */
function versionProblem(spec: CdiSpec): string | undefined {
  const at = VERSIONS.indexOf(spec.cdiVersion.replace(/^v/, ""));
  if (at < 0) return `invalid version ${JSON.stringify(spec.cdiVersion)}`;
  const needed = neededVersion(spec);
  return at < VERSIONS.indexOf(needed) ? `the spec version must be at least v${needed}` : undefined;
}

function neededVersion(spec: CdiSpec): string {
  const edits = [spec.containerEdits ?? {}, ...spec.devices.map(({ containerEdits }) => containerEdits)];
  const uses = (test: (edit: CdiEdits) => boolean): boolean => edits.some(test);
  const [, className] = splitKind(spec.kind);
  if (uses(({ netDevices = [] }) => netDevices.length > 0)) return "1.1.0";
  if (uses(({ intelRdt, additionalGids = [] }) => intelRdt !== undefined || additionalGids.length > 0)) return "0.7.0";
  if ([spec, ...spec.devices].some(({ annotations = {} }) => Object.keys(annotations).length > 0)) return "0.6.0";
  if (className.includes(".")) return "0.6.0";
  if (spec.devices.some(({ name }) => /^[^A-Za-z]/.test(name))) return "0.5.0";
  if (uses(({ deviceNodes = [] }) => deviceNodes.some(({ hostPath }) => hostPath))) return "0.5.0";
  return uses(({ mounts = [] }) => mounts.some(({ type }) => type)) ? "0.4.0" : "0.3.0";
}

function deviceProblem({ name, containerEdits }: CdiDevice): string | undefined {
  const isEmpty = Object.values(containerEdits).every((value) => Array.isArray(value) && value.length === 0);
  const problem =
    nameProblem(name) ?? (isEmpty ? "invalid device, empty device edits" : undefined) ?? editsProblem(containerEdits);
  return problem === undefined ? undefined : `failed add device ${JSON.stringify(name)}: ${problem}`;
}

function editsProblem({ env = [], deviceNodes = [], hooks = [], mounts = [] }: CdiEdits): string | undefined {
  const environment = envProblem(env);
  return (
    (environment === undefined ? undefined : `invalid container edits: ${environment}`) ??
    firstOf(deviceNodes, nodeProblem) ??
    firstOf(hooks, hookProblem) ??
    firstOf(mounts, ({ hostPath, containerPath }) => {
      if (hostPath === "") return "invalid mount, empty host path";
      return containerPath === "" ? "invalid mount, empty container path" : undefined;
    })
  );
}

function nodeProblem({ path, type = "", major = 0, minor = 0, permissions = "" }: CdiDeviceNode): string | undefined {
  const quoted = JSON.stringify(path);
  if (path === "") return "invalid (empty) device path";
  if (!["", "b", "c", "u", "p"].includes(type)) return `device ${quoted}: invalid type ${JSON.stringify(type)}`;
  if (major < 0 || minor < 0) return `device ${quoted}: invalid (negative) device number ${major}:${minor}`;
  if (permissions === "none" || /^[rwm]*$/.test(permissions)) return undefined;
  return `device ${quoted}: invalid permissions ${JSON.stringify(permissions)}`;
}

function hookProblem({ hookName, path, env = [] }: CdiHook): string | undefined {
  const quoted = JSON.stringify(hookName);
  if (!HOOKS.includes(hookName)) return `invalid hook name ${quoted}`;
  if (path === "") return `invalid hook ${quoted} with empty path`;
  // The runtime would look for it in whatever directory it happens to be in.
  if (!path.startsWith("/")) return `invalid hook ${quoted}: path ${JSON.stringify(path)} is not absolute`;
  const problem = envProblem(env);
  return problem === undefined ? undefined : `invalid hook ${quoted}: ${problem}`;
}

function envProblem(env: readonly string[]): string | undefined {
  const wrong = env.find((entry) => entry.indexOf("=") < 1);
  return wrong === undefined ? undefined : `invalid environment variable ${JSON.stringify(wrong)}`;
}

function firstOf<T>(items: readonly T[], problem: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = problem(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
