import { InvalidParameterError } from "#errors/errors.ts";
import { parseGoBool } from "#lib/go-bool.ts";

/** `--security-opt`, taken apart. */
export interface SecurityOptions {
  /** "default", "unconfined", or a profile's text. */
  readonly seccomp: string;
  readonly noNewPrivileges: boolean;
  readonly apparmor: string | undefined;
  /** The container may make cgroups below its own. */
  readonly writableCgroups: boolean;
}

/** Parses the options. Throws InvalidParameterError with Docker's words on an unknown one. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let seccomp = "default";
  let noNewPrivileges = false;
  let writableCgroups = false;
  let apparmor: string | undefined;
  for (const option of options) {
    // Old clients write "seccomp:unconfined", and "disable" for SELinux.
    const [, name = "", value] = /^([^=:]*)(?:[=:](.*))?$/s.exec(option) ?? [];
    if (option === "disable") continue;
    if (value === undefined && name !== "no-new-privileges" && name !== "writable-cgroups")
      throw new InvalidParameterError(`invalid --security-opt 1: "${option}"`);
    switch (name) {
      case "seccomp":
        seccomp = value === undefined || value === "builtin" ? "default" : value;
        break;
      case "apparmor":
        apparmor = value ?? "";
        break;
      case "no-new-privileges":
        noNewPrivileges = parseBoolean(value ?? "true", option);
        break;
      case "writable-cgroups":
        writableCgroups = parseBoolean(value ?? "true", option);
        break;
      case "label":
        // SELinux labels: without SELinux Docker ignores them as well.
        break;
      default:
        throw new InvalidParameterError(`invalid --security-opt 2: "${option}"`);
    }
  }
  return { seccomp, noNewPrivileges, apparmor, writableCgroups };
}

function parseBoolean(value: string, option: string): boolean {
  const isTrue = parseGoBool(value);
  if (isTrue !== undefined) return isTrue;
  throw new InvalidParameterError(`invalid --security-opt 2: "${option}"`);
}
