import type { ContainerDefaults, HealthConfig, HistoryEntry, ImageConfig, Platform } from "#spec/oci-image.ts";
import type { StageImage } from "./graph-types.ts";
import { splitVariable } from "./variables.ts";

/** What BuildKit's Dockerfile frontend puts behind every history entry that it makes. */
const HISTORY_COMMENT = "buildkit.dockerfile.v0";

/** PATH of images that say none, as BuildKit and Docker fill it in. */
const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The image config of a stage while its instructions are applied one after the other. */
export class ImageDraft {
  readonly platform: Platform;
  #author: string | undefined;
  #env: string[];
  readonly #history: HistoryEntry[];
  readonly #config: { -readonly [Key in keyof ContainerDefaults]: ContainerDefaults[Key] };
  /** SOURCE_DATE_EPOCH; else the layers say when they were made. */
  readonly #created: Pick<HistoryEntry, "created">;
  /** Whether this stage (not its base) said CMD: then ENTRYPOINT keeps it. */
  #cmdIsSet = false;

  /** Continues from `base`; a missing PATH is filled in, as the shell of RUN needs one. */
  constructor(base: StageImage, epoch?: number) {
    this.#created = epoch === undefined ? {} : { created: timeText(epoch) };
    this.platform = base.platform;
    this.#author = base.author;
    this.#config = knownDefaults(base.config);
    delete this.#config.OnBuild;
    this.#env = [...(base.config.Env ?? [])];
    if (!this.#env.some((variable) => splitVariable(variable)[0] === "PATH")) this.#env.push(`PATH=${DEFAULT_PATH}`);
    this.#history = [...base.history];
  }

  get env(): readonly string[] {
    return this.#env;
  }

  get workingDir(): string {
    return this.#config.WorkingDir ?? "";
  }

  get user(): string {
    return this.#config.User ?? "";
  }

  /** What wraps a command in shell form. */
  get shell(): readonly string[] {
    const shell = this.#config.Shell ?? [];
    return shell.length > 0 ? shell : ["/bin/sh", "-c"];
  }

  setEnv(name: string, value: string): void {
    const variable = `${name}=${value}`;
    const index = this.#env.findIndex((known) => splitVariable(known)[0] === name);
    if (index < 0) this.#env.push(variable);
    else this.#env[index] = variable;
  }

  setLabel(name: string, value: string): void {
    this.#config.Labels = { ...this.#config.Labels, [name]: value };
  }

  setWorkingDir(path: string): void {
    this.#config.WorkingDir = path;
  }

  setUser(user: string): void {
    this.#config.User = user;
  }

  setCmd(args: readonly string[]): void {
    this.#config.Cmd = args;
    this.#config.ArgsEscaped = true;
    this.#cmdIsSet = true;
  }

  /** Also forgets an inherited CMD: it was meant for the former entrypoint. */
  setEntrypoint(args: readonly string[]): void {
    this.#config.Entrypoint = args;
    if (!this.#cmdIsSet) delete this.#config.Cmd;
  }

  setShell(shell: readonly string[]): void {
    this.#config.Shell = shell;
  }

  setHealthcheck(check: HealthConfig): void {
    this.#config.Healthcheck = check;
  }

  setStopSignal(signal: string): void {
    this.#config.StopSignal = signal;
  }

  setAuthor(author: string): void {
    this.#author = author;
  }

  addPorts(ports: readonly string[]): void {
    this.#config.ExposedPorts = withKeys(this.#config.ExposedPorts, ports);
  }

  addVolumes(paths: readonly string[]): void {
    this.#config.Volumes = withKeys(this.#config.Volumes, paths);
  }

  addTrigger(trigger: string): void {
    this.#config.OnBuild = [...(this.#config.OnBuild ?? []), trigger];
  }

  /** Adds a history entry; `layer` says whether the instruction makes one. */
  commit(createdBy: string, layer = false): void {
    this.#history.push({
      ...this.#created,
      created_by: createdBy,
      comment: HISTORY_COMMENT,
      ...(layer ? {} : { empty_layer: true }),
    });
  }

  finish(): StageImage {
    return {
      platform: this.platform,
      ...(this.#author === undefined ? {} : { author: this.#author }),
      config: knownDefaults({ ...this.#config, Env: this.#env }),
      history: this.#history,
    };
  }
}

/** RFC 3339 of seconds since 1970. */
function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/** Where a stage on `scratch` begins. */
export function emptyImage(platform: Platform): StageImage {
  return { platform, config: { WorkingDir: "/" }, history: [] };
}

/** Where a stage on an image begins. */
export function imageOf(config: ImageConfig): StageImage {
  const { architecture, os, variant } = config;
  return {
    platform: {
      os,
      architecture,
      ...(variant ? { variant } : {}),
      ...(config["os.version"] ? { "os.version": config["os.version"] } : {}),
    },
    ...(config.author === undefined ? {} : { author: config.author }),
    config: config.config ?? {},
    history: config.history ?? [],
  };
}

/** The fields that the image spec knows, in one order, so that equal configs have equal ids; what old engines added is dropped. */
function knownDefaults(config: ContainerDefaults): {
  -readonly [Key in keyof ContainerDefaults]: ContainerDefaults[Key];
} {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels } = config;
  const { OnBuild, StopSignal, ArgsEscaped, Healthcheck, StopTimeout, Shell } = config;
  const known = {
    User,
    ExposedPorts: sortKeys(ExposedPorts),
    Env,
    Entrypoint,
    Cmd,
    Volumes: sortKeys(Volumes),
    WorkingDir,
    Labels: sortKeys(Labels),
    OnBuild,
    StopSignal,
    ArgsEscaped,
    Healthcheck,
    StopTimeout,
    Shell,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined && value !== null));
}

/** Go writes maps with sorted keys; so do we, or the same labels in another order would be another image. */
function sortKeys<T>(map: Readonly<Record<string, T>> | null | undefined): Readonly<Record<string, T>> | undefined {
  return map ? Object.fromEntries(Object.entries(map).sort(([left], [right]) => (left < right ? -1 : 1))) : undefined;
}

function withKeys(
  known: Readonly<Record<string, Record<string, never>>> | null | undefined,
  names: readonly string[],
): Readonly<Record<string, Record<string, never>>> {
  return { ...known, ...Object.fromEntries(names.map((name) => [name, {}])) };
}
