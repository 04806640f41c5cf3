/**
 * Image references: `[domain/]path[:tag][@digest]`, with Docker's short forms.
 * Grammar and texts follow https://github.com/distribution/reference (regexp.go, normalize.go).
 */
import { InvalidParameterError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import { isDigest } from "./digest.ts";

/** A normalised reference: `domain` and `path` are always there, `docker.io` and `library/` filled in. */
export interface Reference {
  /** Registry host with optional port: `docker.io`, `localhost:5000`. */
  readonly domain: string;
  /** Repository within the registry: `library/busybox`. */
  readonly path: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_DOMAIN = "docker.io";
/** What old clients called Docker Hub, and the key of its credentials. */
const LEGACY_DOMAIN = "index.docker.io";
const OFFICIAL_PREFIX = "library/";
const DEFAULT_TAG = "latest";
const MAX_PATH = 255;

const COMPONENT = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const PATH = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const DOMAIN_COMPONENT = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = new RegExp(`^(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?$`);
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** Reads what a user typed. Throws InvalidParameterError in Docker's words. */
export function parseReference(text: string): Reference {
  if (IDENTIFIER.test(text)) {
    throw new InvalidParameterError(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, remainder] = splitDomain(text);
  const colon = remainder.indexOf(":");
  const remote = colon < 0 ? remainder : remainder.slice(0, colon);
  if (remote.toLowerCase() !== remote) {
    throw new InvalidParameterError(`invalid reference format: repository name (${remote}) must be lowercase`);
  }
  const { path, tag, digest } = splitSuffixes(remainder);
  if (!DOMAIN.test(domain) || !PATH.test(path)) throw invalidFormat();
  if (path.length > MAX_PATH) {
    throw new InvalidParameterError(`repository name must not be more than ${MAX_PATH} characters`);
  }
  return { domain, path, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** The reference with `:latest` when it has neither tag nor digest. */
export function tagNameOnly(reference: Reference): Reference {
  return reference.tag || reference.digest ? reference : { ...reference, tag: DEFAULT_TAG };
}

/** The full repository name: `docker.io/library/busybox`. */
export function repositoryName(reference: Reference): string {
  return `${reference.domain}/${reference.path}`;
}

/** The whole reference in its canonical spelling: `docker.io/library/busybox:latest`. */
export function formatReference(reference: Reference): string {
  return repositoryName(reference) + suffix(reference);
}

/** The repository as people write it: `busybox`, `user/app`, `localhost:5000/app`. */
export function familiarName(reference: Reference): string {
  const { domain, path } = reference;
  if (domain !== DEFAULT_DOMAIN) return repositoryName(reference);
  const [first = "", second, third] = path.split("/");
  if (first === "library" && second !== undefined && third === undefined) return second;
  // Without its domain, a path that begins like a host would read back as that host's.
  return second !== undefined && looksLikeHost(first) ? repositoryName(reference) : path;
}

/** The whole reference as people write it: `busybox:latest`. */
export function familiarString(reference: Reference): string {
  return familiarName(reference) + suffix(reference);
}

/** Splits what may begin with a registry's host, where the rest need not be a repository: search terms. `library/` is left out. */
export function registryOf(text: string): { readonly domain: string; readonly path: string } {
  const [domain, path] = splitDomain(text);
  return { domain, path: domain === DEFAULT_DOMAIN ? path.replace(/^library\//, "") : path };
}

function suffix(reference: Reference): string {
  return (reference.tag ? `:${reference.tag}` : "") + (reference.digest ? `@${reference.digest}` : "");
}

function splitDomain(text: string): readonly [domain: string, remainder: string] {
  const slash = text.indexOf("/");
  if (slash < 0) return [DEFAULT_DOMAIN, OFFICIAL_PREFIX + text];
  const first = text.slice(0, slash);
  const rest = text.slice(slash + 1);
  const isHost = looksLikeHost(first);
  const domain = !isHost || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const remainder = isHost ? rest : text;
  return [domain, domain === DEFAULT_DOMAIN && !remainder.includes("/") ? OFFICIAL_PREFIX + remainder : remainder];
}

function looksLikeHost(component: string): boolean {
  return component === "localhost" || /[.:]/.test(component) || component.toLowerCase() !== component;
}

function splitSuffixes(text: string): { path: string; tag: string | undefined; digest: Digest | undefined } {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : checkDigest(text.slice(at + 1));
  const name = at < 0 ? text : text.slice(0, at);
  const colon = name.indexOf(":");
  const tag = colon < 0 ? undefined : name.slice(colon + 1);
  if (tag !== undefined && !TAG.test(tag)) throw invalidFormat();
  return { path: colon < 0 ? name : name.slice(0, colon), tag, digest };
}

function checkDigest(text: string): Digest {
  if (!DIGEST.test(text)) throw invalidFormat();
  if (isDigest(text)) return text;
  throw text.startsWith("sha256:")
    ? new InvalidParameterError("invalid checksum digest length")
    : new InvalidParameterError("unsupported digest algorithm");
}

function invalidFormat(): InvalidParameterError {
  return new InvalidParameterError("invalid reference format");
}
