import { errorMessage, InvalidParameterError } from "#errors/errors.ts";
import { csvFields } from "../grammar/csv-line.ts";
import { StatusError } from "../status-error.ts";
import { readConfigFile } from "./config-file.ts";

const VARIABLE = "DOCKER_CUSTOM_HEADERS environment variable";
const FAILED = `failed to set custom headers from ${VARIABLE}`;
/** https://www.rfc-editor.org/rfc/rfc9110#name-field-names; a line break in a value would begin another header. */
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const VALUE = /^[^\r\n\0]*$/;
/** What frames a message is not for users to change. */
const OWN = new Set(["connection", "content-length", "host", "transfer-encoding", "upgrade"]);

/**
 * Headers for every request: DOCKER_CUSTOM_HEADERS, `name=value,…` with CSV's quotes, else HttpHeaders of `config.json`. Throws StatusError in
 * docker's words.
 */
export function requestHeaders(
  configDirectory: string,
  variable: string | undefined,
): Readonly<Record<string, string>> {
  try {
    const headers = variable ? fromVariable(variable) : (readConfigFile(configDirectory).HttpHeaders ?? {});
    return Object.fromEntries(Object.entries(headers).filter(checkHeader));
  } catch (cause) {
    throw new StatusError(1, `Failed to initialize: ${errorMessage(cause)}`, { cause });
  }
}

function fromVariable(value: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fieldsOf(value).map((field) => {
      const at = field.indexOf("=");
      const name = (at < 0 ? field : field.slice(0, at)).trim();
      if (name === "") {
        throw new InvalidParameterError(`${FAILED}: value contains a key=value pair with an empty key: '${field}'`);
      }
      if (at < 0) throw new InvalidParameterError(`${FAILED}: missing "=" in key=value pair: '${field}'`);
      return [name, field.slice(at + 1)];
    }),
  );
}

function fieldsOf(value: string): readonly string[] {
  try {
    return csvFields(value);
  } catch (cause) {
    throw new InvalidParameterError(
      `failed to parse custom headers from ${VARIABLE}: value must be formatted as comma-separated key=value pairs`,
      { cause },
    );
  }
}

function checkHeader([name, value]: readonly [string, string]): boolean {
  if (!NAME.test(name) || !VALUE.test(value)) {
    throw new InvalidParameterError(`invalid header in HttpHeaders or ${VARIABLE}: ${JSON.stringify(name)}`);
  }
  return !OWN.has(name.toLowerCase()) && name.toLowerCase() !== "user-agent";
}
