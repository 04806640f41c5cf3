import { chmod, chown, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { BindMount } from "#runtime/container-runtime.ts";
import type { SecretStepMount } from "../../graph/graph-types.ts";
import type { OpOptions, OpTools } from "../op-context.ts";

/** As BuildKit's client refuses larger ones. https://github.com/moby/buildkit/blob/master/session/secrets/secretsprovider */
const MAX_SECRET = 500 * 1024;

/**
 * The secrets of one step, as files in a tmpfs of its own that is never swapped. Values are overwritten in memory when they have been
 * written, except those that become environment variables.
 */
export class SecretFiles implements AsyncDisposable {
  readonly #tools: OpTools;
  readonly #options: OpOptions;
  readonly #stack = new AsyncDisposableStack();
  #directory: Promise<string> | undefined;
  #count = 0;

  constructor(tools: OpTools, options: OpOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  /** What the step gets of a secret: nothing when the client has it not and it is not required. Throws NotFoundError when it is. */
  async open(mount: SecretStepMount): Promise<{ readonly bind?: BindMount; readonly env?: string }> {
    const value = await this.#options.secrets?.get(mount.id, this.#options.signal);
    if (!value) {
      if (mount.required) throw new NotFoundError(`secret ${mount.id}: not found`);
      return {};
    }
    try {
      if (value.length > MAX_SECRET) {
        throw new InvalidParameterError(`invalid secret ${mount.id}: ${value.length} bytes, at most ${MAX_SECRET}`);
      }
      return {
        ...(mount.target === "" ? {} : { bind: await this.#file(mount, value) }),
        ...(mount.env === "" ? {} : { env: `${mount.env}=${Buffer.from(value).toString("utf8")}` }),
      };
    } finally {
      value.fill(0);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  async #file({ target, mode, uid, gid }: SecretStepMount, value: Uint8Array): Promise<BindMount> {
    this.#directory ??= this.#tools.openPrivateDirectory().then((directory) => this.#stack.use(directory).path);
    const source = join(await this.#directory, `${this.#count++}`);
    await writeFile(source, value, { mode: 0o400, flag: "wx" });
    await chown(source, uid, gid);
    await chmod(source, mode);
    return { source, destination: target, readonly: true };
  }
}
