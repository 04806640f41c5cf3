import { spawn } from "node:child_process";
import { once } from "node:events";

/** An ssh agent without keys that listens on `socket`. When it has been disposed it has ended, and its socket is gone. */
export async function startSshAgent(socket: string): Promise<AsyncDisposable> {
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(agent, "exit");
  // It says where it listens as soon as it does.
  await Promise.race([
    once(agent.stdout, "data"),
    ended.then(() => Promise.reject(new Error("ssh-agent ended at once"))),
  ]);
  return {
    async [Symbol.asyncDispose](): Promise<void> {
      agent.kill();
      await ended;
    },
  };
}
