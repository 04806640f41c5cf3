import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { publishImages } from "./images.ts";
import { Stage } from "./stage.ts";

/** Chapter 3, command by command, on real images, a real registry and the real kernel. */
async function main(): Promise<void> {
  await using stage = await Stage.set();
  await publishImages(stage);
  await stage.berth(["builder", "prune", "--all", "--force"]);
  const target = await startTarget(stage);
  await useAnImage(stage, target);
  await buildAnImage(stage, target);
  await lookAtLayers(stage);
  await useTheCache(stage);
  await doTheLab(stage);
  stage.say("Everything is verified, then removed");
  await stage.berth(["system", "check"]);
}

/** Something to ping that does not need the internet. */
async function startTarget(stage: Stage): Promise<string> {
  stage.say("A container to ping, by its address");
  const server = "require('http').createServer((request, response) => response.end('ok')).listen(80)";
  await stage.berth(["run", "-d", "--name", "target", "diamol/node", "node", "-e", server]);
  return stage.berth(["inspect", "--format", "{{.NetworkSettings.IPAddress}}", "target"]);
}

async function useAnImage(stage: Stage, target: string): Promise<void> {
  stage.say("3.1 Using a container image: pull, run detached, logs");
  await stage.berth(["image", "pull", "diamol/ch03-web-ping"]);
  await stage.berth([
    "container",
    "run",
    "-d",
    "--name",
    "web-ping",
    "--env",
    `TARGET=http://${target}`,
    "--env",
    "INTERVAL=300",
    "diamol/ch03-web-ping",
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await stage.berth(["container", "logs", "web-ping"]);
  await stage.berth(["rm", "-f", "web-ping"]);
  stage.say("Another target, in the foreground, until Ctrl-C");
  await stage.berth(
    [
      "container",
      "run",
      "--env",
      `TARGET=http://${target}`,
      "--env",
      "METHOD=GET",
      "--env",
      "INTERVAL=500",
      "diamol/ch03-web-ping",
    ],
    {
      interruptAfter: 2500,
      expected: 0,
    },
  );
}

async function buildAnImage(stage: Stage, target: string): Promise<void> {
  stage.say("3.2, 3.3 Writing a Dockerfile and building the image");
  const context = join(stage.directory, "web-ping");
  process.stdout.write(readFileSync(join(context, "Dockerfile"), "utf8"));
  await stage.berth(["image", "build", "--tag", "web-ping", context]);
  await stage.berth(["image", "ls", "w*"]);
  await stage.berth(["container", "run", "--rm", "-e", `TARGET=http://${target}`, "-e", "INTERVAL=500", "web-ping"], {
    interruptAfter: 1500,
    expected: 0,
  });
}

async function lookAtLayers(stage: Stage): Promise<void> {
  stage.say("3.4 Images and layers");
  await stage.berth(["image", "history", "web-ping"]);
  await stage.berth(["image", "ls"]);
  await stage.berth(["system", "df"]);
  await stage.berth(["system", "df", "-v"]);
}

async function useTheCache(stage: Stage): Promise<void> {
  stage.say("3.5 The layer cache: one line of app.js changes");
  const context = join(stage.directory, "web-ping");
  const app = join(context, "app.js");
  writeFileSync(app, `${readFileSync(app, "utf8")}// changed\n`);
  await stage.berth(["image", "build", "-t", "web-ping:v2", context]);
  stage.say("The optimised Dockerfile: what changes comes last");
  copyFileSync(join(context, "Dockerfile.optimized"), join(context, "Dockerfile"));
  await stage.berth(["image", "build", "-t", "web-ping:v3", context]);
  writeFileSync(app, `${readFileSync(app, "utf8")}// changed again\n`);
  await stage.berth(["image", "build", "-t", "web-ping:v4", context]);
}

async function doTheLab(stage: Stage): Promise<void> {
  stage.say("3.6 The lab: an image from a changed container, without a Dockerfile");
  await stage.berth(["image", "pull", "diamol/ch03-lab"]);
  await stage.berth(["container", "run", "-i", "--name", "ch03lab", "diamol/ch03-lab", "sh"], {
    input: "echo Elton >> ch03.txt\nexit\n",
  });
  await stage.berth(["container", "commit", "ch03lab", "ch03-lab-soln"]);
  await stage.berth(["container", "run", "--rm", "ch03-lab-soln", "cat", "ch03.txt"]);
}

await main();
