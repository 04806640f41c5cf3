import { existsSync, readFileSync } from "node:fs";
import { extname, join, resolve } from "node:path";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { type BakeDefinitions, definitionsOf } from "./bake-definitions.ts";
import { composeTargets } from "./compose-targets.ts";
import { parseJsonBody } from "./hcl/json-body.ts";
import { parseHcl } from "./hcl/parse-hcl.ts";
import { mergeFields, type TargetFields } from "./target-fields.ts";

/** Looked for in the current directory; all that are there count. https://docs.docker.com/build/bake/introduction/ */
const DEFAULT_FILES = [
  "compose.yaml",
  "compose.yml",
  "docker-compose.yml",
  "docker-compose.yaml",
  "docker-bake.json",
  "docker-bake.hcl",
  "docker-bake.override.json",
  "docker-bake.override.hcl",
];

export interface BakeFile {
  readonly name: string;
  readonly text: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The files of `--file` ("-" is standard input), or those that are there by themselves. Throws NotFoundError. */
export async function readBakeFiles(
  names: readonly string[],
  directory: string,
  readStdin: () => Promise<string>,
): Promise<readonly BakeFile[]> {
  const wanted = names.length > 0 ? names : DEFAULT_FILES.filter((name) => existsSync(join(directory, name)));
  if (wanted.length === 0) throw new NotFoundError("couldn't find a bake definition");
  const files: BakeFile[] = [];
  for (const given of wanted) {
    const name = given.replace(/^cwd:\/\//, "");
    if (/^(https?|git|ssh):\/\/|^git@/.test(name))
      throw new InvalidParameterError(
        `the bake definition ${JSON.stringify(name)} is remote, which is not supported: clone it first`,
      );
    const path = resolve(directory, name);
    if (name !== "-" && !existsSync(path)) throw new NotFoundError(`open ${name}: no such file or directory`);
    files.push({ name, text: name === "-" ? await readStdin() : readFileSync(path, "utf8") });
  }
  return files;
}

/** What files define together: a later one over those before it, bake files over Compose's. Throws InvalidParameterError. */
export function bakeDefinitions(
  files: readonly BakeFile[],
  directory: string,
  environment: Environment,
): BakeDefinitions {
  const kinds = files.map((file) => ({ file, kind: kindOf(file) }));
  const withDefaults = {
    ...(kinds.some(({ kind }) => kind === "compose") ? dotEnvironment(join(directory, ".env")) : {}),
    ...environment,
  };
  const compose = kinds.flatMap(({ file, kind }) =>
    kind === "compose" ? [composeTargets(file.text, file.name, withDefaults)] : [],
  );
  const bodies = kinds.flatMap(({ file, kind }) => {
    if (kind === "compose") return [];
    return [kind === "json" ? parseJsonBody(file.text, file.name) : parseHcl(file.text, file.name)];
  });
  return [...compose, definitionsOf(bodies, environment)].reduce(mergeDefinitions);
}

function mergeDefinitions(below: BakeDefinitions, above: BakeDefinitions): BakeDefinitions {
  const targets = new Map<string, TargetFields>(below.targets);
  for (const [name, fields] of above.targets) targets.set(name, mergeFields(targets.get(name) ?? {}, fields));
  return {
    targets,
    groups: new Map([...below.groups, ...above.groups]),
    remarks: [...below.remarks, ...above.remarks],
  };
}

/** By the name, else by how it begins. */
function kindOf({ name, text }: BakeFile): "compose" | "json" | "hcl" {
  const ending = extname(name);
  if (ending === ".hcl") return "hcl";
  if (ending === ".json") return "json";
  if (ending === ".yaml" || ending === ".yml") return "compose";
  if (/^\s*\{/.test(text)) return "json";
  return /^(services|version|name|x-[\w-]+):/m.test(text) ? "compose" : "hcl";
}

/** `.env`, as Compose takes it. */
function dotEnvironment(path: string): Environment {
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return Object.fromEntries(
    lines.flatMap((line) => {
      const [, name, value = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined) return [];
      return [[name, /^(["'])(.*)\1$/.exec(value)?.[2] ?? value.replace(/\s+#.*$/, "")]];
    }),
  );
}
