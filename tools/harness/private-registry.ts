import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A real registry (Debian's docker-registry) on a free loopback port, gone with `close`. */
export class PrivateRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly directory: string;
  readonly #child: ChildProcess;

  private constructor(host: string, directory: string, child: ChildProcess) {
    this.host = host;
    this.directory = directory;
    this.#child = child;
  }

  /** With `htpasswd` (the file's content, bcrypt) it wants a login; with `takesForeignLayers` manifests may name URLs. */
  static async start(
    options: { readonly htpasswd?: string; readonly takesForeignLayers?: boolean } = {},
  ): Promise<PrivateRegistry> {
    const directory = mkdtempSync(join(tmpdir(), "berth-registry-"));
    const host = `127.0.0.1:${await freePort()}`;
    const config = join(directory, "config.yml");
    writeFileSync(
      config,
      [
        "version: 0.1",
        "log: { level: error, accesslog: { disabled: true } }",
        `storage: { filesystem: { rootdirectory: ${join(directory, "data")} }, delete: { enabled: true } }`,
        `http: { addr: ${host} }`,
        ...(options.htpasswd ? [`auth: { htpasswd: { realm: test, path: ${directory}/htpasswd } }`] : []),
        ...(options.takesForeignLayers ? ['validation: { manifests: { urls: { allow: ["^http://127"] } } }'] : []),
        "",
      ].join("\n"),
    );
    if (options.htpasswd) writeFileSync(join(directory, "htpasswd"), options.htpasswd);
    const child = spawn("docker-registry", ["serve", config], {
      stdio: "ignore",
      env: { ...process.env, OTEL_TRACES_EXPORTER: "none" },
    });
    const registry = new PrivateRegistry(host, directory, child);
    await registry.#ready();
    return registry;
  }

  async close(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#child.exitCode === null && this.#child.kill("SIGTERM")) await exited;
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + 15_000;
    while (Date.now() < deadline) {
      const answer = await fetch(`http://${this.host}/v2/`).catch(() => undefined);
      if (answer?.ok || answer?.status === 401) return;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    throw new Error("docker-registry did not answer in 15 s");
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
