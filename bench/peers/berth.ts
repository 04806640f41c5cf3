import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";
import { processTree } from "../process-memory.ts";
import type { Peer, PeerOptions } from "./peer.ts";

/** Berth as `npm run build` made it. */
export async function startBerth(options: PeerOptions): Promise<Peer> {
  const engine = await PrivateEngine.start({ directory: options.directory, execRoot: options.runDirectory });
  const env = { BERTH_HOST: `unix://${engine.socket}`, DOCKER_CONFIG: join(options.directory, "client") };
  const { stdout } = await run(BERTH, ["--version"]);
  return {
    name: "Berth",
    title: "Berth",
    version: stdout.trim().replace(/^Berth version /, "Berth "),
    command: (args) => ({ argv: [BERTH, ...args], env }),
    engineProcesses: () => processTree(engine.pid),
    stop: () => engine.close(),
  };
}
