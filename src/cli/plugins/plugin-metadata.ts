/** docker's CLI plugins: programs called `docker-NAME` that say what they are. https://github.com/docker/cli/blob/v28.2.2/cli-plugins/manager/manager.go */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Decoder, object, text } from "#lib/json-decoder.ts";
import { readConfigFile } from "../config/config-file.ts";

/** What a plugin answers to `docker-cli-plugin-metadata`. */
export interface PluginMetadata {
  readonly SchemaVersion: string;
  readonly Vendor: string;
  readonly Version: string;
  readonly ShortDescription: string;
  readonly URL: string;
}

export interface Plugin extends PluginMetadata {
  readonly Name: string;
  readonly Path: string;
}

const PREFIX = "docker-";
const NAME = /^[a-z][a-z0-9]*$/;
/** Where packages put plugins, behind the user's own. */
const SYSTEM_DIRECTORIES = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];
const PATIENCE_MS = 10_000;

const metadata: Decoder<PluginMetadata> = object<PluginMetadata>(
  { SchemaVersion: text, Vendor: text, Version: text, ShortDescription: text, URL: text },
  { SchemaVersion: "", Vendor: "", Version: "", ShortDescription: "", URL: "" },
);

/** Where plugins are looked for, in this order. Throws InvalidParameterError for a bad `config.json`. */
function directories(configDirectory: string): readonly string[] {
  const { cliPluginsExtraDirs = [] } = readConfigFile(configDirectory);
  return [...cliPluginsExtraDirs, join(configDirectory, "cli-plugins"), ...SYSTEM_DIRECTORIES];
}

/** The plugin of that name; undefined when there is none, or what is there is no plugin. */
export function findPlugin(name: string, configDirectory: string): Plugin | undefined {
  if (!NAME.test(name)) return undefined;
  const path = directories(configDirectory)
    .map((directory) => join(directory, `${PREFIX}${name}`))
    .find(isProgram);
  return path === undefined ? undefined : readPlugin(name, path);
}

/** All plugins by name; of two with one name, the one that would run. */
export function listPlugins(configDirectory: string): readonly Plugin[] {
  const paths = new Map<string, string>();
  for (const directory of directories(configDirectory)) {
    for (const file of filesIn(directory)) {
      const name = file.startsWith(PREFIX) ? file.slice(PREFIX.length) : "";
      const path = join(directory, file);
      if (NAME.test(name) && !paths.has(name) && isProgram(path)) paths.set(name, path);
    }
  }
  return [...paths].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, path]) => readPlugin(name, path) ?? []);
}

/** Asks the program what it is. One that does not answer as a plugin is none. */
function readPlugin(name: string, path: string): Plugin | undefined {
  const { status, stdout } = spawnSync(path, ["docker-cli-plugin-metadata"], {
    timeout: PATIENCE_MS,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (status !== 0) return undefined;
  try {
    const found = metadata(JSON.parse(stdout.toString("utf8")), "");
    return found.SchemaVersion === "0.1.0" && found.Vendor !== "" ? { Name: name, Path: path, ...found } : undefined;
  } catch {
    return undefined;
  }
}

function filesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
