/**
 * A connection through ssh: a command at the far end joins its standard streams to the engine's socket there.
 * https://github.com/docker/cli/blob/v28.2.2/cli/connhelper/connhelper.go
 */
import { UnavailableError } from "#errors/errors.ts";
import { EngineUnreachableError } from "../engine-error.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EngineSocket } from "./engine-socket.ts";

const CONNECT_TIMEOUT = 30;

/** Starts ssh. What goes wrong shows at the first read: EngineUnreachableError with ssh's own words. */
export function openSshSocket(endpoint: Endpoint & { kind: "ssh" }): EngineSocket {
  return new CommandSocket(sshCommand(endpoint));
}

/** The words of the ssh command. Whichever engine the far end has, Berth or Docker, takes the connection. */
export function sshCommand(endpoint: Endpoint & { kind: "ssh" }): string[] {
  const { user, host, port, path } = endpoint;
  const dial = `${path === "" ? "" : `--host unix://${path} `}system dial-stdio`;
  return [
    "ssh",
    ...["-o", `ConnectTimeout=${CONNECT_TIMEOUT}`, "-T"],
    ...(user === "" ? [] : ["-l", user]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    "--",
    host,
    `if command -v berth >/dev/null; then exec berth ${dial}; else exec docker ${dial}; fi`,
  ];
}

/** A child's standard streams as a connection. */
class CommandSocket implements EngineSocket {
  readonly #command: readonly string[];
  readonly #child: Bun.Subprocess<"pipe", "pipe", "pipe">;
  readonly #output: AsyncIterator<Uint8Array>;
  readonly #complaint: Promise<string>;
  #hasRead = false;

  constructor(command: string[]) {
    this.#command = command;
    this.#child = spawn(command);
    this.#output = this.#child.stdout[Symbol.asyncIterator]();
    this.#complaint = new Response(this.#child.stderr).text();
  }

  async read(): Promise<Buffer | undefined> {
    const { done, value } = await this.#output.next();
    if (!done) {
      this.#hasRead = true;
      return Buffer.from(value);
    }
    if (!this.#hasRead) throw await this.#failure();
    return undefined;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      this.#child.stdin.write(bytes);
      await this.#child.stdin.flush();
    } catch (cause) {
      throw new UnavailableError("cannot send to the engine: the connection is closed", { cause });
    }
  }

  end(): void {
    void this.#child.stdin.end();
  }

  destroy(): void {
    this.#child.kill();
  }

  async #failure(): Promise<EngineUnreachableError> {
    const [status, said] = await Promise.all([this.#child.exited, this.#complaint]);
    return new EngineUnreachableError(
      `error during connect: command [${this.#command.slice(0, -1).join(" ")}] has exited with exit status ${status}, ` +
        `make sure the URL is valid, and Berth or Docker 18.09 or later is installed on the remote host: stderr=${said.trim()}`,
    );
  }
}

function spawn(command: string[]): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  try {
    return Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  } catch (cause) {
    throw new EngineUnreachableError(
      'error during connect: cannot run "ssh": install the Debian package openssh-client',
      {
        cause,
      },
    );
  }
}
