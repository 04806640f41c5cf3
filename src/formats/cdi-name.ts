/**
 * Names of the Container Device Interface: a kind is `vendor/class`, a device `vendor/class=name`.
 * https://github.com/cncf-tags/container-device-interface/blob/main/SPEC.md#kind
 */

/** Whether the text is the whole name of a device, not a path or a kind. */
export function isCdiName(text: string): boolean {
  const equals = text.indexOf("=");
  if (equals < 0) return false;
  return kindProblem(text.slice(0, equals)) === undefined && nameProblem(text.slice(equals + 1)) === undefined;
}

/** What is wrong with a `vendor/class`, in the words of CDI's library; undefined when nothing is. */
export function kindProblem(kind: string): string | undefined {
  const [vendor, className] = splitKind(kind);
  return partProblem("vendor", vendor) ?? partProblem("class", className);
}

/** `vendor/class` in two; without a slash, or with nothing on one side of it, all is the class. */
export function splitKind(kind: string): readonly [vendor: string, className: string] {
  const slash = kind.indexOf("/");
  return slash < 1 || slash === kind.length - 1 ? ["", kind] : [kind.slice(0, slash), kind.slice(slash + 1)];
}

function partProblem(part: "vendor" | "class", text: string): string | undefined {
  const quoted = JSON.stringify(text);
  if (text === "") return `invalid ${part}. empty name`;
  if (!/^[A-Za-z]/.test(text)) return `invalid ${part}. ${quoted}, should start with letter`;
  const strange = /[^\w.-]/.exec(text.slice(1, -1))?.[0];
  if (strange !== undefined) return `invalid ${part}. invalid character '${strange}' in name ${quoted}`;
  return /[A-Za-z0-9]$/.test(text) ? undefined : `invalid ${part}. ${quoted}, should end with a letter or digit`;
}

/** What is wrong with the name of a device in its kind. */
export function nameProblem(text: string): string | undefined {
  const quoted = JSON.stringify(text);
  if (text === "") return "invalid (empty) device name";
  if (!/^[A-Za-z0-9]/.test(text)) return `invalid class ${quoted}, should start with a letter or digit`;
  const strange = /[^\w.:-]/.exec(text.slice(1, -1))?.[0];
  if (strange !== undefined) return `invalid character '${strange}' in device name ${quoted}`;
  return /[A-Za-z0-9]$/.test(text) ? undefined : `invalid name ${quoted}, should end with a letter or digit`;
}
