import { InvalidParameterError } from "#errors/errors.ts";

/** A commit of a git repository, as a URL names it. */
export interface GitSource {
  /** What `git fetch` gets: a URL with one of the allowed protocols, or `user@host:path`. */
  readonly remote: string;
  /** Branch, tag, full ref or commit; "" is the remote's HEAD. */
  readonly ref: string;
  /** Directory in the repository, clean and relative; "" is all of it. */
  readonly subdirectory: string;
  /** Commit (or the beginning of one) that it must be, "" for any. */
  readonly checksum: string;
  readonly keepGitDirectory: boolean;
  readonly submodules: boolean;
}

/** `user@host:path`, git's own short form of ssh. */
const SCP_FORM = /^(?!.*:\/\/)([A-Za-z0-9_.][A-Za-z0-9_.-]*@)([A-Za-z0-9_.][A-Za-z0-9_.-]*):([^#?]*)/;
const PROTOCOLS: ReadonlySet<string> = new Set(["http:", "https:", "ssh:", "git:"]);
/** What git allows in ref names, and nothing that it could take for an option. https://git-scm.com/docs/git-check-ref-format */
const REF = /^(?!-)(?!.*(?:\.\.|@\{|\/\/))[^\x00-\x20\x7f~^:?*[\\]+$/;
const COMMIT = /^[0-9a-f]{7,64}$/i;

/**
 * Reads `URL[#ref[:directory]]` or `URL?ref=…&subdir=…`. Undefined for what is no git URL: an http(s) URL is one if its path ends in
 * `.git`; `github.com/…` counts only with `allowBareHost` (for contexts, as ever; for ADD it is a path). Throws InvalidParameterError for
 * a git URL with a ref, directory or query that cannot be.
 * https://docs.docker.com/build/concepts/context/#url-queries
 */
export function parseGitSource(text: string, options: { readonly allowBareHost: boolean }): GitSource | undefined {
  const bare = options.allowBareHost && text.startsWith("github.com/");
  const split = splitRemote(bare ? `https://${text}` : text, bare);
  if (!split) return undefined;
  const { remote, query, fragment } = split;
  const [fragmentRef = "", ...directory] = fragment.split(":");
  const named = { ref: fragmentRef, subdirectory: directory.join(":") };
  return checked(remote, withQuery(named, query));
}

interface SplitRemote {
  readonly remote: string;
  readonly query: URLSearchParams;
  readonly fragment: string;
}

function splitRemote(text: string, isBare: boolean): SplitRemote | undefined {
  const hash = text.indexOf("#");
  const fragment = hash < 0 ? "" : text.slice(hash + 1);
  const beforeHash = hash < 0 ? text : text.slice(0, hash);
  const mark = beforeHash.indexOf("?");
  const query = new URLSearchParams(mark < 0 ? "" : beforeHash.slice(mark + 1));
  const remote = mark < 0 ? beforeHash : beforeHash.slice(0, mark);
  if (SCP_FORM.test(remote)) return { remote, query, fragment };
  const url = URL.canParse(remote) ? new URL(remote) : undefined;
  if (!url || !PROTOCOLS.has(url.protocol)) return undefined;
  // ssh and git would take such a host for an option.
  if (url.hostname === "" || url.hostname.startsWith("-"))
    throw new InvalidParameterError(`invalid git URL ${JSON.stringify(remote)}`);
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  if (isWeb && !isBare && !url.pathname.endsWith(".git")) return undefined;
  return { remote, query, fragment };
}

interface NamedCommit {
  ref: string;
  subdirectory: string;
  checksum: string;
  keepGitDirectory: boolean;
  submodules: boolean;
}

function withQuery(named: Pick<NamedCommit, "ref" | "subdirectory">, query: URLSearchParams): NamedCommit {
  const result: NamedCommit = { ...named, checksum: "", keepGitDirectory: false, submodules: true };
  const refs: string[] = named.ref === "" ? [] : [named.ref];
  for (const key of new Set(query.keys())) {
    const [value = "", ...more] = query.getAll(key);
    if (more.length > 0) throw new InvalidParameterError(`query ${JSON.stringify(key)} has multiple values`);
    const isSwitch = key === "keep-git-dir" || key === "submodules";
    if (value === "" && !isSwitch) throw new InvalidParameterError(`query ${JSON.stringify(key)} has no value`);
    if (key === "ref") refs.push(value);
    else if (key === "tag") refs.push(value.startsWith("refs/tags/") ? value : `refs/tags/${value}`);
    else if (key === "branch") refs.push(value.startsWith("refs/heads/") ? value : `refs/heads/${value}`);
    else if (key === "subdir") result.subdirectory = agreed("subdir", result.subdirectory, value);
    else if (key === "checksum" || key === "commit") result.checksum = agreed(key, result.checksum, value);
    else if (key === "keep-git-dir") result.keepGitDirectory = switchValue(key, value);
    else if (key === "submodules") result.submodules = switchValue(key, value);
    else throw new InvalidParameterError(`unexpected query ${JSON.stringify(key)}`);
  }
  for (const ref of refs) result.ref = agreed("ref", result.ref, ref);
  return result;
}

function agreed(what: string, known: string, value: string): string {
  if (known === "" || known === value) return value;
  throw new InvalidParameterError(`${what} conflicts: ${JSON.stringify(known)} vs ${JSON.stringify(value)}`);
}

function switchValue(key: string, value: string): boolean {
  if (/^(1|t|true|)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw new InvalidParameterError(`invalid ${key} value: ${JSON.stringify(value)}`);
}

function checked(remote: string, named: NamedCommit): GitSource {
  const ref = named.ref === "" && named.checksum !== "" ? named.checksum : named.ref;
  if (ref !== "" && !REF.test(ref)) throw new InvalidParameterError(`invalid git ref ${JSON.stringify(ref)}`);
  if (named.checksum !== "" && !COMMIT.test(named.checksum)) {
    throw new InvalidParameterError(`invalid git checksum ${JSON.stringify(named.checksum)}: expected a commit hash`);
  }
  const parts = named.subdirectory.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || /[\x00-\x1f]/.test(named.subdirectory)) {
    throw new InvalidParameterError(`invalid git subdirectory ${JSON.stringify(named.subdirectory)}: it leads out`);
  }
  return { ...named, ref, remote, subdirectory: parts.join("/") };
}
