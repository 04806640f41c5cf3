import type { ContextFiles, NamedContext } from "#build/build-client.ts";
import { InvalidParameterError, NotImplementedError } from "#errors/errors.ts";
import { isDigest } from "#formats/digest.ts";
import { formatPlatform } from "#formats/platform.ts";
import { formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import type { Platform, SourceOp } from "#proto/ops_pb.ts";
import type { StageWriter } from "./definition-dockerfile.ts";
import { isPlainWord, literalList } from "./dockerfile-words.ts";
import { RESULT_SCHEME } from "./result-definition.ts";

/** What a client's own sources mean. */
export interface SourceContexts {
  /** A directory of the client's, by the name that it serves it under, without what `excludes` matches; of it only `followPaths`, all without any. */
  directory(
    name: string,
    options: { readonly excludes: readonly string[]; readonly followPaths: readonly string[] },
  ): ContextFiles;
  /** An image of an OCI layout at the client. */
  layout(store: string, digest: string): NamedContext;
}

/** A source as a stage. Throws NotImplementedError for a kind that there is not. https://github.com/moby/buildkit/blob/master/solver/pb/attr.go */
export function sourceStage(source: SourceOp, platform: Platform | undefined, writer: StageWriter): string {
  const { identifier } = source;
  const [, scheme = "", rest = ""] = /^([a-z-]+):\/\/(.*)$/s.exec(identifier) ?? [];
  switch (scheme) {
    case "docker-image":
      return imageStage(rest, platform, writer);
    case "berth-image": {
      const id = identifier.slice(RESULT_SCHEME.length);
      if (!isDigest(id)) throw new InvalidParameterError(`invalid LLB source ${identifier}`);
      return writer.stage(writer.context({ kind: "image", id }), []);
    }
    case "oci-layout": {
      const [, store, digest] = /^([^@/]+?)(?::[^@:]*)?@(.+)$/.exec(rest) ?? [];
      if (!store || !digest) throw new InvalidParameterError(`invalid LLB source ${identifier}: it needs a digest`);
      return writer.stage(writer.context(writer.sources.layout(store, digest)), []);
    }
    case "local":
      return localStage(rest, source, writer);
    case "git":
      return gitStage(rest, source, writer);
    case "http":
    case "https":
      return httpStage(source, writer);
    default:
      throw new NotImplementedError(`LLB source ${JSON.stringify(identifier.slice(0, 200))} is not supported`);
  }
}

function imageStage(reference: string, platform: Platform | undefined, writer: StageWriter): string {
  // The whole reference: a short one could be the name of a stage.
  const whole = formatReference(tagNameOnly(parseReference(reference)));
  return writer.stage(`${platformFlag(platform)}${whole}`, []);
}

function platformFlag(platform: Platform | undefined): string {
  if (!platform?.os) return "";
  const { os, architecture, variant } = platform;
  const text = formatPlatform({ os, architecture, ...(variant ? { variant } : {}) });
  if (!isPlainWord(text)) throw new InvalidParameterError(`invalid platform ${JSON.stringify(text)}`);
  return `--platform=${text} `;
}

function localStage(name: string, { attrs }: SourceOp, writer: StageWriter): string {
  const followPaths = jsonList(attrs["local.followpaths"]);
  const included = jsonList(attrs["local.includepattern"]);
  const files = writer.sources.directory(name, {
    excludes: jsonList(attrs["local.excludepatterns"]),
    // Patterns of names or directories: what they match, and the way to it.
    followPaths: [...followPaths, ...included],
  });
  return writer.stage("scratch", [`COPY --from=${writer.context({ kind: "files", files })} / /`]);
}

function gitStage(rest: string, { attrs }: SourceOp, writer: StageWriter): string {
  const [path = "", fragment = ""] = rest.split(/#(.*)/s);
  const full = attrs["git.fullurl"] ?? `https://${path}`;
  const url = fragment === "" ? full : `${full}#${fragment}`;
  const keep = attrs["git.keepgitdir"] === "true" ? "--keep-git-dir=true " : "";
  // A URL that names no repository by its form would be taken for a file.
  if (!/\.git(?:#|$)/.test(url) && !/^(?:git|ssh):\/\//.test(url) && !/^git@/.test(url))
    throw new NotImplementedError(`LLB source ${JSON.stringify(url)} is not supported: its URL must end in .git`);
  return writer.stage("scratch", [`ADD ${keep}${literalList([url, "/"])}`]);
}

/** https://github.com/moby/buildkit/blob/master/source/http/source.go */
function httpStage({ identifier, attrs }: SourceOp, writer: StageWriter): string {
  return writer.stage("scratch", [httpLine({ identifier, attrs }, httpName({ identifier, attrs }), "")]);
}

/** The name that a file of a URL gets. */
export function httpName({ identifier, attrs }: Pick<SourceOp, "identifier" | "attrs">): string {
  const given = attrs["http.filename"];
  if (given && !/[/\0]/.test(given) && given !== "..") return `/${given}`;
  const base = new URL(identifier).pathname.split("/").at(-1);
  return `/${base || "download"}`;
}

/** An ADD of a file behind a URL to `target`. */
export function httpLine(
  { identifier, attrs }: Pick<SourceOp, "identifier" | "attrs">,
  target: string,
  flags: string,
): string {
  const { "http.checksum": checksum, "http.perm": perm, "http.uid": uid, "http.gid": gid } = attrs;
  const given = [
    ...(checksum ? [`--checksum=${word(checksum)}`] : []),
    ...(perm ? [`--chmod=${word(perm)}`] : []),
    ...(uid || gid ? [`--chown=${word(uid || "0")}:${word(gid || "0")}`] : []),
  ];
  return `ADD ${[...given, ...(flags ? [flags] : []), literalList([identifier, target])].join(" ")}`;
}

function word(text: string): string {
  if (isPlainWord(text)) return text;
  throw new InvalidParameterError(`invalid LLB definition: ${JSON.stringify(text)} is no plain word`);
}

function jsonList(text: string | undefined): readonly string[] {
  if (!text) return [];
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.every((one) => typeof one === "string")) return parsed;
  } catch {
    // Told below.
  }
  throw new InvalidParameterError(`invalid LLB definition: ${JSON.stringify(text)} is no list of texts`);
}
