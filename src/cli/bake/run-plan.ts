import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { inspectImage, removeImage } from "#client/images.ts";
import { ConflictError, ForbiddenError, NotFoundError } from "#errors/errors.ts";
import { isRemoteUrl } from "../build/remote-url.ts";
import type { CommandContext } from "../grammar/command.ts";
import { parseFlags } from "../grammar/parse-flags.ts";
import type { BakePlan } from "./resolve-targets.ts";
import type { TargetFields } from "./target-fields.ts";

export interface RunOptions {
  readonly progress: string;
  /** "" for none. */
  readonly metadataFile: string;
  /** What targets may ask for. */
  readonly allow: readonly string[];
}

/**
 * Builds the targets of a plan, one after the other: a target before those that take its result. What is built only for others leaves no image. Gives the exit code of the first
 * that fails, or 0. Throws as builds do.
 */
export async function runPlan(plan: BakePlan, options: RunOptions, context: CommandContext): Promise<number> {
  checkEntitlements(plan, options.allow);
  const directory = await mkdtemp(join(tmpdir(), "berth-bake-"));
  try {
    return await new PlanRun(plan, options, context, directory).run();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A bake file is often somebody else's: what leads out of the confinement is said on the command line. */
function checkEntitlements({ targets }: BakePlan, allowed: readonly string[]): void {
  for (const [name, { entitlements = [], network }] of targets) {
    const asked = [...entitlements, ...(network === "host" ? ["network.host"] : [])];
    const refused = asked.find((one) => !allowed.includes(one));
    if (refused !== undefined)
      throw new ForbiddenError(`target ${name} asks for ${refused}: it needs --allow ${refused}`);
  }
}

class PlanRun {
  readonly #plan: BakePlan;
  readonly #options: RunOptions;
  readonly #context: CommandContext;
  readonly #directory: string;
  /** Images of linked targets, by their names. */
  readonly #images = new Map<string, string>();
  readonly #metadata: Record<string, unknown> = {};

  constructor(plan: BakePlan, options: RunOptions, context: CommandContext, directory: string) {
    this.#plan = plan;
    this.#options = options;
    this.#context = context;
    this.#directory = directory;
  }

  async run(): Promise<number> {
    try {
      for (const name of inOrder(this.#plan)) {
        const code = await this.#target(name);
        if (code !== 0) return code;
      }
    } finally {
      await this.#removePassing();
    }
    const { metadataFile } = this.#options;
    if (metadataFile !== "") await writeFile(metadataFile, `${JSON.stringify(this.#metadata, null, 2)}\n`);
    return 0;
  }

  async #target(name: string): Promise<number> {
    const { linked, hidden, targets } = this.#plan;
    const target = targets.get(name) ?? {};
    if (this.#options.progress !== "quiet" && this.#options.progress !== "rawjson" && targets.size > 1)
      await this.#context.streams.stderr.write(`==> ${name}\n`);
    if (linked.has(name)) {
      const { output: _, tags: __, ...rest } = target;
      // A result that only goes to others has no name; one that also goes elsewhere is built twice, from the cache.
      const isPassing = hidden.has(name) || target.output !== undefined;
      const code = await this.#build(name, isPassing ? rest : target);
      if (code !== 0 || !isPassing || hidden.has(name)) return code;
    }
    return await this.#build(name, target);
  }

  async #build(name: string, target: TargetFields): Promise<number> {
    const { command } = await import("../commands/build/build.ts");
    const idFile = join(this.#directory, `${name}.id`);
    const metadataFile = join(this.#directory, `${name}.json`);
    const line = [
      ...buildFlags(target, (context) => this.#contextValue(context)),
      ...(await this.#dockerfile(name, target)),
      `--progress=${this.#options.progress}`,
      `--iidfile=${idFile}`,
      `--metadata-file=${metadataFile}`,
      target.context ?? ".",
    ];
    const code = await command.run(parseFlags(command.flags, line, {}), this.#context);
    if (code !== 0) return code;
    if (this.#plan.linked.has(name) && !this.#images.has(name)) this.#images.set(name, await readFile(idFile, "utf8"));
    this.#metadata[name] = JSON.parse(await readFile(metadataFile, "utf8"));
    return 0;
  }

  /** `target:NAME` is the image that was built for it. */
  #contextValue(value: string): string {
    if (!value.startsWith("target:")) return value;
    const image = this.#images.get(value.slice("target:".length));
    if (image === undefined) throw new NotFoundError(`${value}: it was not built`);
    return `docker-image://${image}`;
  }

  /** Beside its context, unless it stands in the bake file. */
  async #dockerfile(name: string, target: TargetFields): Promise<readonly string[]> {
    const inline = target["dockerfile-inline"];
    if (inline !== undefined) {
      const directory = join(this.#directory, name);
      await mkdir(directory, { recursive: true });
      await writeFile(join(directory, "Dockerfile"), inline);
      return ["--file", join(directory, "Dockerfile")];
    }
    const { dockerfile = "Dockerfile", context = "." } = target;
    if (dockerfile.startsWith("cwd://")) return ["--file", dockerfile.slice("cwd://".length)];
    const isBeside = !isAbsolute(dockerfile) && !isRemoteUrl(context) && dockerfile !== "-" && context !== "-";
    return ["--file", isBeside ? join(context, dockerfile) : dockerfile];
  }

  async #removePassing(): Promise<void> {
    const { engine } = this.#context;
    for (const [name, image] of this.#images) {
      if (!this.#plan.hidden.has(name)) continue;
      try {
        const { RepoTags: tags = [] } = await inspectImage(engine, image);
        if ((tags ?? []).length === 0) await removeImage(engine, image);
      } catch (error) {
        // Somebody uses it, or it is gone.
        if (!(error instanceof ConflictError || error instanceof NotFoundError)) throw error;
      }
    }
  }
}

/** A target behind those that it links to. */
function inOrder({ targets }: BakePlan): readonly string[] {
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    if (ordered.has(name)) return;
    for (const value of Object.values(targets.get(name)?.contexts ?? {}))
      if (value.startsWith("target:")) visit(value.slice("target:".length));
    ordered.add(name);
  };
  for (const name of targets.keys()) visit(name);
  return [...ordered];
}

/** Fields of a target that are flags of a build: what a list or map has, each. */
const REPEATED = {
  annotations: "annotation",
  attest: "attest",
  tags: "tag",
  "cache-from": "cache-from",
  "cache-to": "cache-to",
  secret: "secret",
  ssh: "ssh",
  output: "output",
  "no-cache-filter": "no-cache-filter",
  ulimits: "ulimit",
  entitlements: "allow",
} as const;

function buildFlags(target: TargetFields, contextValue: (value: string) => string): readonly string[] {
  const { args = {}, labels = {}, contexts = {}, platforms = [], pull, network } = target;
  const pairs = (flag: string, map: Readonly<Record<string, string>>): readonly string[] =>
    Object.entries(map).map(([name, value]) => `--${flag}=${name}=${value}`);
  const repeated = Object.entries(REPEATED) as [keyof typeof REPEATED, string][];
  return [
    ...repeated.flatMap(([field, flag]) => (target[field] ?? []).map((value) => `--${flag}=${value}`)),
    ...pairs("build-arg", args),
    ...pairs("label", labels),
    ...Object.entries(contexts).map(([name, value]) => `--build-context=${name}=${contextValue(value)}`),
    ...Object.entries(target["extra-hosts"] ?? {}).map(([name, address]) => `--add-host=${name}:${address}`),
    ...(platforms.length > 0 ? [`--platform=${platforms.join(",")}`] : []),
    ...(target.target ? [`--target=${target.target}`] : []),
    ...(target["shm-size"] ? [`--shm-size=${target["shm-size"]}`] : []),
    ...(network ? [`--network=${network}`] : []),
    ...(pull ? ["--pull"] : []),
    ...(target["no-cache"] ? ["--no-cache"] : []),
  ];
}
