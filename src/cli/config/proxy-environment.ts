/** Proxies that containers and builds are told of. https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (ParseProxyConfig) */
import type { Endpoint } from "#client/connection/endpoint.ts";
import { formatEndpoint } from "#client/connection/endpoint.ts";
import { type ProxySettings, readConfigFile } from "./config-file.ts";

const VARIABLES: readonly (readonly [keyof ProxySettings, string])[] = [
  ["httpProxy", "HTTP_PROXY"],
  ["httpsProxy", "HTTPS_PROXY"],
  ["noProxy", "NO_PROXY"],
  ["ftpProxy", "FTP_PROXY"],
  ["allProxy", "ALL_PROXY"],
];

/** `NAME=value` for each proxy of `config.json` that `given` does not name, in both spellings: programs read one or the other. */
export function proxyVariables(
  configDirectory: string,
  endpoint: Endpoint,
  given: ReadonlySet<string>,
): readonly string[] {
  const { proxies } = readConfigFile(configDirectory);
  const settings = proxies?.[formatEndpoint(endpoint)] ?? proxies?.["default"];
  if (!settings) return [];
  return VARIABLES.flatMap(([key, name]) => {
    const value = settings[key];
    const names = [name, name.toLowerCase()].filter((spelling) => !given.has(spelling));
    return value ? names.map((spelling) => `${spelling}=${value}`) : [];
  });
}
