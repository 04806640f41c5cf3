import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";

export type Engine = "dockerd" | "berth";

/**
 * Runs a script of this directory, which walks something on an engine, in namespaces of its own, and gives the JSON that it prints. Bridges, rules and mounts
 * go with the namespaces, and an empty /run hides this machine's own engines.
 */
export async function walkAlone(script: string, args: readonly string[]): Promise<unknown> {
  const inside = 'ip link set lo up; mount -t tmpfs tmpfs /run; "$@"; exit $?';
  const namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
  const command = [process.execPath, join(import.meta.dirname, script), ...args];
  // buildx leaves the Dockerfiles that it got from stdin behind.
  const temporary = mkdtempSync(join(tmpdir(), "walk-"));
  const env = { PATH: `${CURRENT_DOCKER}:${process.env["PATH"]}`, TMPDIR: temporary };
  try {
    const words = [...namespaces, "bash", "-c", inside, "walk", ...command];
    const { exitCode, stdout, stderr } = await run("unshare", words, { timeout: 700_000, env, echoErrors: true });
    if (exitCode !== 0) throw new Error(`${script} ${args[0]} ended with ${exitCode}:\n${stderr}`);
    return JSON.parse(stdout);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The image busybox as an archive that both engines load, made by Berth, for the length of `use`. */
export async function withImage<T>(use: (archive: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "walk-image-"));
  try {
    const archive = join(directory, "busybox.tar");
    const engine = await PrivateEngine.start();
    try {
      await makeBusybox(engine);
      await engine.ok(["save", "-o", archive, "busybox"]);
    } finally {
      await engine.close();
    }
    return await use(archive);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
