import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../tools/harness/child.ts";
import type { Stage } from "./stage.ts";

/** Makes the chapter's images with Berth itself and pushes them to the registry, where the walk pulls them from. */
export async function publishImages(stage: Stage): Promise<void> {
  stage.say("The chapter's images, made with Berth itself");
  await buildBase(stage);
  await buildNode(stage);
  await stage.berth(["image", "build", "-q", "-t", "diamol/ch03-web-ping", join(stage.directory, "web-ping")]);
  await stage.berth(["image", "build", "-q", "-t", "diamol/ch03-lab", join(stage.directory, "web-ping", "lab")]);
  for (const name of ["diamol/base", "diamol/node", "diamol/ch03-web-ping", "diamol/ch03-lab"])
    await publish(stage, name);
}

/** A few hundred commands in one static program. */
async function buildBase(stage: Stage): Promise<void> {
  const context = join(stage.directory, "base");
  mkdirSync(context);
  copyFileSync("/bin/busybox", join(context, "busybox"));
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "mkdir", "-p", "/etc", "/root", "/tmp", "/usr/bin", "/sbin"]\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nRUN echo root:x:0:0:root:/root:/bin/sh > /etc/passwd && echo root:x:0: > /etc/group\nCMD ["sh"]\n',
  );
  await stage.berth(["image", "build", "-t", "diamol/base", context]);
}

/** A small Debian, and Node.js installed into it by a RUN step. */
async function buildNode(stage: Stage): Promise<void> {
  const context = join(stage.directory, "node");
  mkdirSync(context);
  stage.say("A Debian root made by mmdebstrap");
  const { exitCode, stderr } = await run(
    "mmdebstrap",
    [
      "--variant=minbase",
      "--aptopt=Acquire::Languages none",
      "--dpkgopt=path-exclude=/usr/share/doc/*",
      "--dpkgopt=path-exclude=/usr/share/man/*",
      "bookworm",
      join(context, "debian.tar"),
      ...debianSources(),
    ],
    { timeout: 240_000 },
  );
  if (exitCode !== 0) throw new Error(`mmdebstrap ended with ${exitCode}: ${stderr}`);
  writeFileSync(
    join(context, "Dockerfile"),
    'FROM scratch\nADD debian.tar /\nRUN apt-get update && apt-get install -y --no-install-recommends nodejs && rm -rf /var/lib/apt/lists/* /var/cache/apt/*\nCMD ["node"]\n',
  );
  await stage.berth(["image", "build", "-t", "diamol/node", context]);
}

/** The mirrors that this machine itself is set up with. */
function debianSources(): string[] {
  return ["/etc/apt/sources.list.d/debian.sources", "/etc/apt/sources.list"]
    .filter((path) => existsSync(path))
    .slice(0, 1);
}

async function publish(stage: Stage, name: string): Promise<void> {
  const remote = `${stage.registry.host}/${name}`;
  await stage.engine.ok(["tag", name, remote]);
  await stage.berth(["image", "push", "-q", remote]);
  await stage.engine.ok(["rmi", remote, name]);
}
