import type { ContextFiles } from "#build/build-client.ts";
import type { BuildContext } from "#build/builder.ts";
import type { ContextStore } from "#build/context/context-store.ts";
import type { OpenContext } from "#build/context/open-context.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { digestOf } from "#formats/digest.ts";
import { parseDockerignore } from "#formats/dockerignore.ts";
import { freeBehind } from "#lib/free-behind.ts";
import type { Session } from "../session/session.ts";
import { DiffCopy } from "./diff-copy.ts";
import type { OfferedEntry } from "./offered-entries.ts";

/** A Dockerfile or ignore file is text; this is far beyond any. */
const MAX_TEXT = 16 * 1024 * 1024;

/** What a build reads of its client's directories. Dispose it when the build has ended: contexts stay readable until then. */
export class SessionFiles implements AsyncDisposable {
  readonly #session: Session;
  readonly #store: ContextStore;
  readonly #open: OpenContext[] = [];

  constructor(session: Session, store: ContextStore) {
    this.#session = session;
    this.#store = store;
  }

  /**
   * The Dockerfile and, beside it, its own ignore file. For the default name a lower-case `dockerfile` will do. Throws NotFoundError in
   * BuildKit's words.
   */
  async dockerfile(directory: string, name: string, signal: AbortSignal): Promise<ClientDockerfile> {
    const names = name === "Dockerfile" ? [name, "dockerfile"] : [name];
    const files = await this.#texts(directory, [...names, ...names.map((one) => `${one}.dockerignore`)], signal);
    const found = names.find((one) => files.has(one));
    const bytes = files.get(found ?? "");
    if (!found || !bytes) throw new NotFoundError(`failed to read dockerfile: open ${name}: no such file or directory`);
    return { bytes, ignore: files.get(`${found}.dockerignore`) };
  }

  /**
   * A directory of the client. It is transferred when a step reads it, as far as the steps read it, without what `ignore` (or the directory's
   * own .dockerignore) excludes; and of that only what the engine has not got from the directory's last transfer.
   */
  context(directory: string, ignore: Uint8Array | undefined): ContextFiles {
    return {
      open: async (paths, signal) => {
        const own = ignore ?? (await this.#texts(directory, [".dockerignore"], signal)).get(".dockerignore");
        return this.#receive(directory, excludePatterns(own), paths.includes("") ? [] : paths, signal);
      },
    };
  }

  /** A directory as a definition names it: without what `excludes` matches, and of it what `followPaths` names. */
  directory(
    directory: string,
    { excludes, followPaths }: { readonly excludes: readonly string[]; readonly followPaths: readonly string[] },
  ): ContextFiles {
    return { open: (_, signal) => this.#receive(directory, excludes, followPaths, signal) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const context of this.#open.splice(0)) await context[Symbol.asyncDispose]();
  }

  async #receive(
    directory: string,
    excludes: readonly string[],
    followPaths: readonly string[],
    signal: AbortSignal,
  ): Promise<BuildContext> {
    const walked = Date.now();
    await using copy = new DiffCopy(this.#session, { directory, excludes, followPaths, signal });
    const entries = await copy.entries();
    const { sharedKey, id: sessionId } = this.#session.announcement;
    // Without a shared key nobody will ask for this directory again.
    const key = digestOf(["buildkit", sharedKey || sessionId, directory].join("\0"));
    const { id, missing } = await this.#store.offerEntries(
      { key, walked },
      entries.map(({ line }) => line),
    );
    if (missing.length > 0) {
      // Each packet was decoded from a buffer of its own, and is gone.
      const contents = freeBehind(copy.contents(selected(entries, missing)), { isOnlyView: true });
      await this.#store.receive(id, contents);
    }
    await copy.finish();
    const context = this.#store.open(id);
    this.#open.push(context);
    if (sharedKey === "") this.#store.drop([key]);
    return context.files;
  }

  /** Small files by name, those that are there. */
  async #texts(
    directory: string,
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, Uint8Array>> {
    await using copy = new DiffCopy(this.#session, { directory, followPaths: names, signal });
    const entries = await copy.entries();
    const wanted = entries.filter(({ line }) => line.t === "f" && names.includes(textOf(line.p)));
    const files = new Map<string, Uint8Array>();
    for (const entry of wanted) {
      if (entry.line.s > MAX_TEXT)
        throw new InvalidParameterError(`cannot read ${textOf(entry.line.p)}: it is too large`);
      const chunks: Uint8Array[] = [];
      for await (const chunk of copy.contents([entry])) chunks.push(chunk);
      files.set(textOf(entry.line.p), Buffer.concat(chunks));
    }
    await copy.finish();
    return files;
  }
}

export interface ClientDockerfile {
  readonly bytes: Uint8Array;
  /** `<Dockerfile>.dockerignore`, which takes the place of the context's own. */
  readonly ignore: Uint8Array | undefined;
}

function selected(entries: readonly OfferedEntry[], indices: readonly number[]): readonly OfferedEntry[] {
  return indices.flatMap((index) => entries[index] ?? []);
}

function excludePatterns(ignoreFile: Uint8Array | undefined): readonly string[] {
  if (!ignoreFile) return [];
  return parseDockerignore(Buffer.from(ignoreFile).toString("utf8")).map(({ keep, text }) =>
    keep ? `!${text}` : text,
  );
}

function textOf(path: string): string {
  return Buffer.from(path, "latin1").toString("utf8");
}
