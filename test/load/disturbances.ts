/** What other people's tools and bad luck do to the networks of an engine at work; each must be healed while the clients go on. */
import { readdirSync, readFileSync } from "node:fs";
import { get } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../../tools/harness/child.ts";
import type { PrivateEngine } from "../../tools/harness/private-engine.ts";
import type { Report } from "./report.ts";

/** How long healing may take under load, ms. */
const PATIENCE = 30_000;

/** A container on the shared network that serves at a published port, on both families where this host has them. */
const PROBE = "disturbed-server";

/** Starts what the disturbances are seen by. */
export async function startProbe(engine: PrivateEngine): Promise<void> {
  const args = ["-d", "--name", PROBE, "--label", "load=probe", "--network", "shared", "-p", "80"];
  await engine.ok(["run", ...args, "busybox", "sh", "-c", "echo served > /index.html; exec httpd -f -h / -p 80"]);
}

/** One disturbance after the other. What does not heal is a problem. */
export async function disturb(engine: PrivateEngine, report: Report): Promise<void> {
  const disturbances = {
    "name service killed": killService,
    "rules flushed": flushRules,
    "bridge deleted": deleteBridge,
  };
  for (const [name, work] of Object.entries(disturbances)) {
    await work(engine);
    const deadline = Date.now() + PATIENCE;
    for (let wrong = await whatIsWrong(engine); wrong !== ""; wrong = await whatIsWrong(engine)) {
      if (Date.now() > deadline) {
        report.problem(name, wrong);
        break;
      }
      await delay(200);
    }
  }
}

/** "" when names are found, containers reach each other, and the published port answers. */
async function whatIsWrong(engine: PrivateEngine): Promise<string> {
  // Not wget's own -T, with which a static busybox cannot look names up.
  const command = ["timeout", "5", "wget", "-q", "-O", "-", `http://${PROBE}/index.html`];
  const asked = await engine.berth(["run", "--rm", "--network", "shared", "busybox", ...command]);
  if (asked.stdout.trim() !== "served") return `by name: ${asked.exitCode} ${asked.stdout}${asked.stderr}`;
  const ports = await engine.ok(["port", PROBE, "80"]);
  for (const [, host = "", port = ""] of ports.matchAll(/^(.+):(\d+)$/gm)) {
    const address = host === "0.0.0.0" ? "127.0.0.1" : "::1";
    const answer = await fetchFrom(address, Number(port));
    if (answer.trim() !== "served") return `at ${address}: ${answer}`;
  }
  return "";
}

function fetchFrom(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host, port, path: "/index.html", agent: false, timeout: 3000 }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.once("end", () => resolve(text));
      response.once("error", (error) => resolve(String(error)));
    });
    request.once("timeout", () => request.destroy(new Error("no answer")));
    request.once("error", (error) => resolve(String(error)));
  });
}

async function killService(engine: PrivateEngine): Promise<void> {
  const isIt = (pid: string): boolean => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes("name-service") && words.some((word) => word.startsWith(engine.execRoot));
    } catch {
      return false;
    }
  };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isIt(name)))
    process.kill(Number(pid), "SIGKILL");
}

/** All tables of this network namespace, as firewall scripts begin. */
async function flushRules(): Promise<void> {
  await run("nft", ["flush", "ruleset"]);
}

async function deleteBridge(engine: PrivateEngine): Promise<void> {
  const id = await engine.ok(["network", "inspect", "-f", "{{.Id}}", "shared"]);
  await run("ip", ["link", "delete", "dev", `br-${id.slice(0, 12)}`]);
}
