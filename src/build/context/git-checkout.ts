import { mkdir, rm } from "node:fs/promises";
import { CancelledError, InvalidParameterError, NotFoundError, UnavailableError } from "#errors/errors.ts";
import type { GitSource } from "./git-source.ts";
import { redactUrl } from "./redact-url.ts";

/** Runs git to its end with exactly this environment (and PATH). Never throws for an exit code. */
export type GitRunner = (
  args: readonly string[],
  options: { readonly env: Readonly<Record<string, string>>; readonly signal: AbortSignal },
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;

export interface GitOptions {
  readonly run: GitRunner;
  readonly signal: AbortSignal;
  /** `Authorization` for http(s) remotes. */
  readonly authorization?: string | undefined;
  /** Socket of an ssh agent. */
  readonly agentSocket?: string | undefined;
}

export interface Checkout {
  /** Absolute path of the work tree. */
  readonly directory: string;
  /** When the commit was made, seconds since the epoch. */
  readonly committed: number;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
/** What git may speak, submodules included: never a local path, never a helper program. https://git-scm.com/docs/git#Documentation/git.txt-codeGITALLOWPROTOCOLcode */
const ALLOWED_PROTOCOLS = "http:https:git:ssh";

/** The commit that a source names at its remote. Throws NotFoundError, UnavailableError, InvalidParameterError for a wrong checksum. */
export async function resolveCommit(named: GitSource, given: GitOptions): Promise<string> {
  const { source, options } = withoutPassword(named, given);
  const commit = COMMIT.test(source.ref) ? source.ref : await lookUp(source, options);
  if (source.checksum !== "" && !commit.startsWith(source.checksum.toLowerCase())) {
    throw new InvalidParameterError(`expected checksum to match ${source.checksum}, got ${commit}`);
  }
  return commit;
}

/** Fetches `commit` into `directory` (made by this call) and checks it out. Throws UnavailableError; nothing stays of it then. */
export async function checkOut(
  named: GitSource,
  commit: string,
  directory: string,
  given: GitOptions,
): Promise<Checkout> {
  const { source, options } = withoutPassword(named, given);
  try {
    await mkdir(directory, { mode: 0o700 });
    const inside = (...args: string[]): Promise<string> => git(["-C", directory, ...args], source, options);
    await inside("init", "--quiet", "--initial-branch=main");
    // What relative URLs of submodules are relative to.
    await inside("remote", "add", "origin", source.remote);
    await fetchCommit(source, commit, directory, options);
    await inside("checkout", "--quiet", "--force", "--detach", commit);
    if (source.submodules) await updateSubmodules(source, directory, options);
    const committed = Number((await inside("show", "--no-patch", "--format=%ct", commit)).trim());
    return { directory, committed };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** A password in the URL becomes a header, which goes by the environment: not into arguments, nor into the repository's config. */
function withoutPassword(
  source: GitSource,
  options: GitOptions,
): { readonly source: GitSource; readonly options: GitOptions } {
  if (!/^https?:/.test(source.remote)) return { source, options };
  const url = new URL(source.remote);
  if (url.username === "" && url.password === "") return { source, options };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = "";
  url.password = "";
  const authorization = options.authorization ?? `basic ${Buffer.from(user).toString("base64")}`;
  return { source: { ...source, remote: url.href }, options: { ...options, authorization } };
}

/** Branches before tags, as git checkout; a tag's commit instead of the tag. */
async function lookUp(source: GitSource, options: GitOptions): Promise<string> {
  const ref = source.ref === "" ? "HEAD" : source.ref;
  const output = await git(["ls-remote", "--", source.remote, ref, `${ref}^{}`], source, options);
  const found = new Map(
    output
      .split("\n")
      .filter((line) => line.includes("\t"))
      .map((line) => line.split("\t") as [string, string])
      .map(([commit, name]) => [name, commit]),
  );
  for (const name of [`${ref}^{}`, ref, `refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`]) {
    const commit = found.get(name);
    if (commit && COMMIT.test(commit)) return commit;
  }
  throw new NotFoundError(`repository ${redactUrl(source.remote)} does not contain ref ${ref}`);
}

/** One commit where the server gives it; else what the ref has; else, from servers that know no shallow fetch, all. */
async function fetchCommit(source: GitSource, commit: string, directory: string, options: GitOptions): Promise<void> {
  const common = ["-C", directory, "fetch", "--quiet", "--no-tags", "--force", "--update-head-ok"];
  const ref = source.ref === "" ? "HEAD" : source.ref;
  const attempts = [
    ["--depth=1", "--", source.remote, commit],
    ["--depth=1", "--", source.remote, ref],
    ["--", source.remote, ref],
  ];
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      await git([...common, ...attempt], source, options);
      await git(["-C", directory, "cat-file", "-e", `${commit}^{commit}`], source, options);
      return;
    } catch (error) {
      if (error instanceof CancelledError) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

async function updateSubmodules(source: GitSource, directory: string, options: GitOptions): Promise<void> {
  const args = ["-C", directory, "submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"];
  await git(args, source, options);
}

async function git(args: readonly string[], source: GitSource, options: GitOptions): Promise<string> {
  const { run, signal } = options;
  const { exitCode, stdout, stderr } = await run([...CONFIGURATION, ...args], {
    env: environment(source, options),
    signal,
  });
  if (signal.aborted) throw new CancelledError("context canceled", { cause: signal.reason });
  if (exitCode === 0) return stdout;
  const words = redactWords(stderr.trim(), source.remote);
  throw new UnavailableError(
    `failed to fetch remote ${redactUrl(source.remote)}: ${words || `git exited with ${exitCode}`}`,
  );
}

function redactWords(text: string, remote: string): string {
  return text.replaceAll(remote, redactUrl(remote)).slice(0, 2000);
}

/** Nothing of a repository may run here: no hooks, no helpers; file modes and links as they are. */
const CONFIGURATION: readonly string[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.symlinks", "true"],
  ["core.autocrlf", "false"],
  ["credential.helper", ""],
  ["protocol.file.allow", "never"],
  ["http.lowSpeedLimit", "100"],
  ["http.lowSpeedTime", "120"],
  ["advice.detachedHead", "false"],
].flatMap(([name, value]) => ["-c", `${name}=${value}`]);

/** Values that are secret go by the environment: arguments can be read by everybody on the machine. */
function environment({ remote }: GitSource, { authorization, agentSocket }: GitOptions): Record<string, string> {
  return {
    HOME: "/nonexistent",
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_TERMINAL_PROMPT: "0",
    GIT_ASKPASS: "/bin/false",
    GIT_ALLOW_PROTOCOL: ALLOWED_PROTOCOLS,
    GIT_LFS_SKIP_SMUDGE: "1",
    // Whoever has no file of known hosts can only take the key that is shown, as BuildKit does.
    GIT_SSH_COMMAND: "ssh -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
    ...(agentSocket === undefined ? {} : { SSH_AUTH_SOCK: agentSocket }),
    ...(authorization === undefined || !/^https?:/.test(remote)
      ? {}
      : {
          GIT_CONFIG_COUNT: "1",
          GIT_CONFIG_KEY_0: `http.${new URL(remote).origin}/.extraheader`,
          GIT_CONFIG_VALUE_0: `Authorization: ${authorization}`,
        }),
  };
}
