import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { run } from "./child.ts";

/** Where tools/ssh-server.sh puts it. */
const SSHD = join(import.meta.dirname, "..", "..", ".cache", "ssh-server", "sshd");

/**
 * An ssh server of one's own on this machine, with keys, configuration and account database of its own, and an `ssh` that knows it and nothing else: what the
 * machine has in /etc/ssh and in home directories is neither read nor changed.
 */
export class SshServer {
  readonly port: number;
  /** A directory with `ssh`, for the PATH of clients. */
  readonly clientPath: string;
  /** A directory whose programs the server's commands find; what is put there is called so at the far end. */
  readonly farPath: string;
  readonly #child: ChildProcess;

  private constructor(port: number, directory: string, child: ChildProcess) {
    this.port = port;
    this.clientPath = join(directory, "client");
    this.farPath = join(directory, "far");
    this.#child = child;
  }

  /** `programs`: name → path, of what the far end has. */
  static async start(directory: string, programs: Readonly<Record<string, string>>): Promise<SshServer> {
    const far = join(directory, "far");
    for (const path of [far, join(directory, "client")]) mkdirSync(path, { recursive: true, mode: 0o755 });
    for (const [name, path] of Object.entries(programs)) symlinkSync(path, join(far, name));
    for (const name of ["host", "user"]) await makeKey(join(directory, name));
    const port = await freePort();
    writeConfigurations(directory, port);
    // sshd wants an account to drop its privileges to, and a directory below /run: both are there for it alone.
    const inside =
      'mount -t tmpfs tmpfs /run && mkdir /run/sshd && mount --bind "$1/passwd" /etc/passwd && exec "$2" -D -e -f "$1/sshd_config"';
    const args = ["--mount", "--kill-child", "--fork", "sh", "-c", inside, "sshd", directory, SSHD];
    const child = spawn("unshare", args, { stdio: ["ignore", "ignore", "pipe"] });
    const server = new SshServer(port, directory, child);
    await server.#ready();
    return server;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once("exit", resolve));
    // unshare(1) takes sshd with it; of other signals it waits for its child.
    this.#child.kill("SIGKILL");
    await ended;
  }

  /** Resolves when it says that it listens. Rejects with all that it says when it ends. */
  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      let said = "";
      this.#child.stderr?.on("data", (text: Buffer) => {
        said += text.toString("utf8");
        if (said.includes("Server listening")) resolve();
      });
      this.#child.once("error", reject);
      this.#child.once("close", () => reject(new Error(`sshd ended: ${said}`)));
    });
  }
}

async function makeKey(path: string): Promise<void> {
  const { exitCode, stderr } = await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", path]);
  if (exitCode !== 0) throw new Error(`ssh-keygen ended with ${exitCode}: ${stderr}`);
}

function writeConfigurations(directory: string, port: number): void {
  const key = (name: string): string => readFileSync(join(directory, `${name}.pub`), "utf8");
  const file = (name: string, lines: readonly string[]): void =>
    writeFileSync(join(directory, name), `${lines.join("\n")}\n`, { mode: 0o600 });
  file("authorized_keys", [key("user")]);
  file("known_hosts", [`[127.0.0.1]:${port} ${key("host")}`]);
  file("passwd", [readFileSync("/etc/passwd", "utf8").trim(), "sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin"]);
  file("sshd_config", [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(directory, "host")}`,
    `AuthorizedKeysFile ${join(directory, "authorized_keys")}`,
    "PidFile none",
    "StrictModes no",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "PermitRootLogin yes",
    `SetEnv PATH=${join(directory, "far")}:/usr/bin:/bin`,
  ]);
  file("ssh_config", [
    `IdentityFile ${join(directory, "user")}`,
    "IdentitiesOnly yes",
    `UserKnownHostsFile ${join(directory, "known_hosts")}`,
    "GlobalKnownHostsFile none",
    "StrictHostKeyChecking yes",
    "BatchMode yes",
  ]);
  const ssh = join(directory, "client", "ssh");
  writeFileSync(ssh, `#!/bin/sh\nexec /usr/bin/ssh -F '${join(directory, "ssh_config")}' "$@"\n`);
  chmodSync(ssh, 0o755);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
