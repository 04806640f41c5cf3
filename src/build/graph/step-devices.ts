import { ForbiddenError, InvalidParameterError } from "#errors/errors.ts";
import { kindProblem } from "#formats/cdi-name.ts";
import { parseGoBool } from "#lib/go-bool.ts";
import type { KnownDevice } from "#runtime/cdi/device-catalog.ts";
import type { Entitlement } from "../build-client.ts";
import type { RunDevice } from "../instructions/types.ts";

/** The devices that the host's CDI files describe, as far as builds need to know them. */
export interface BuildDevices {
  /** Sorted by name. */
  list(): readonly KnownDevice[];
  /** Where devices mount something in a step's root. */
  mountTargets(names: readonly string[]): readonly string[];
}

export const NO_DEVICES: BuildDevices = { list: () => [], mountTargets: () => [] };

export interface StepDevices {
  /** By their whole names. */
  readonly granted: readonly string[];
  /** Of those that a step can do without: the ones that are not here. */
  readonly missing: readonly string[];
}

/** Annotations by which a CDI file tells BuildKit. https://docs.docker.com/build/building/cdi/ */
const CLASS = "org.mobyproject.buildkit.device.class";
const AUTO_ALLOW = "org.mobyproject.buildkit.device.autoallow";

/**
 * The devices that `RUN --device` means: one by its name or its class annotation, the first of a kind (`vendor.com/class`), or all (`vendor.com/class=*`).
 * Each must have been granted, `--allow device[=NAME]`, or say itself that it needs no grant. Throws ForbiddenError and InvalidParameterError in
 * BuildKit's words. https://github.com/moby/buildkit/blob/master/solver/llbsolver/cdidevices/manager.go
 */
export function stepDevices(
  wanted: readonly RunDevice[],
  entitlements: readonly Entitlement[],
  devices: BuildDevices,
): StepDevices {
  if (wanted.length === 0) return { granted: [], missing: [] };
  const known = devices.list();
  const grants = readGrants(entitlements);
  const granted: string[] = [];
  const asked: string[] = [];
  const missing: string[] = [];
  for (const device of wanted) {
    const alias = grants.names.get(device.name);
    const found = findDevices({ ...device, name: alias || device.name }, known);
    if (found.length === 0) missing.push(device.name);
    (alias ? granted : asked).push(...found);
  }
  if (!grants.isAll) refuseUngranted([...new Set(asked)], grants, known);
  return { granted: [...new Set([...granted, ...asked])], missing };
}

interface Grants {
  readonly isAll: boolean;
  /** Names, or aliases of names. */
  readonly names: ReadonlyMap<string, string>;
}

/** `device`, or `device=NAME[,alias=ALIAS]`: a Dockerfile that asks for ALIAS gets NAME. */
function readGrants(entitlements: readonly Entitlement[]): Grants {
  const names = new Map<string, string>();
  for (const entitlement of entitlements) {
    if (!entitlement.startsWith("device=")) continue;
    const [name = "", ...options] = entitlement.slice("device=".length).split(",");
    const alias = options.map(readAlias).at(-1) ?? "";
    if (alias === "") names.set(name, "");
    else names.set(alias, name);
  }
  return { isAll: entitlements.includes("device"), names };
}

function readAlias(option: string): string {
  const equals = option.indexOf("=");
  if (equals < 0) throw new InvalidParameterError(`invalid device config ${JSON.stringify(option)}`);
  if (option.slice(0, equals) === "alias") return option.slice(equals + 1);
  throw new InvalidParameterError(`unknown device config key ${JSON.stringify(option.slice(0, equals))}`);
}

function findDevices({ name, required }: RunDevice, known: readonly KnownDevice[]): readonly string[] {
  const equals = name.indexOf("=");
  const kind = equals < 0 ? name : name.slice(0, equals);
  const own = equals < 0 ? "" : name.slice(equals + 1);
  const problem = kindProblem(kind);
  if (problem !== undefined) {
    const reason = kind.includes("/") ? `: ${problem}` : "";
    throw new InvalidParameterError(`invalid device ${JSON.stringify(name)}${reason}`);
  }
  const ofKind = known.filter((device) => device.name.startsWith(`${kind}=`));
  const found = ofKind.filter((device) => own === "*" || device.name === name);
  const chosen = own === "" ? ofKind.slice(0, 1) : found.length > 0 ? found : ofKind.filter(isOfClass(own));
  if (chosen.length === 0 && required)
    throw new InvalidParameterError(`required device ${JSON.stringify(name)} is not registered`);
  return chosen.map((device) => device.name);
}

function isOfClass(name: string): (device: KnownDevice) => boolean {
  return ({ annotations }) => annotations[CLASS] === name;
}

function refuseUngranted(asked: readonly string[], { names }: Grants, known: readonly KnownDevice[]): void {
  const granted = new Set(
    [...names].flatMap(([alias, name]) => findDevices({ name: name || alias, required: true }, known)),
  );
  const autoAllowed = new Set(known.filter(({ annotations }) => isAutoAllowed(annotations)).map(({ name }) => name));
  const forbidden = asked.filter((name) => !granted.has(name) && !autoAllowed.has(name));
  const [first] = forbidden;
  if (first === undefined) return;
  const what =
    forbidden.length === 1
      ? `device ${first} is requested by the build but not allowed`
      : `devices ${forbidden.join(", ")} are requested by the build but not allowed`;
  throw new ForbiddenError(
    `${what}: it needs --allow device, or ${forbidden.map((name) => `--allow device=${name}`).join(" ")}`,
  );
}

/** Whether a CDI file says of a device that builds may have it ungranted. */
export function isAutoAllowed(annotations: KnownDevice["annotations"]): boolean {
  return parseGoBool(annotations[AUTO_ALLOW] ?? "") ?? false;
}
