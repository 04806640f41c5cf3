/** Builds of Compose 2, which brings a buildx of its own. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeBusybox, makeContext } from "../../tools/harness/busybox.ts";
import { CurrentDocker, HAS_CURRENT_DOCKER } from "../../tools/harness/current-docker.ts";
import { PrivateEngine } from "../../tools/harness/private-engine.ts";
import { PrivateRegistry } from "../../tools/harness/private-registry.ts";
import { startSshAgent } from "../../tools/harness/ssh-agent.ts";

let engine: PrivateEngine;
let docker: CurrentDocker;
let registry: PrivateRegistry;

beforeAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  engine = await PrivateEngine.start();
  docker = new CurrentDocker(engine.socket);
  registry = await PrivateRegistry.start();
  await makeBusybox(engine);
}, 120_000);

afterAll(async () => {
  if (!HAS_CURRENT_DOCKER) return;
  docker[Symbol.dispose]();
  await registry.close();
  await engine.close();
}, 120_000);

const composeFile = (host: string): string => `
name: compose-builds
services:
  web:
    image: ${host}/web
    build:
      context: web
      additional_contexts: { extra: ./extra }
      secrets: [token]
      ssh: ["default"]
      cache_to: ["type=inline"]
      cache_from: ["${host}/web"]
      labels: { a: b }
      extra_hosts: ["far:10.9.8.7"]
    init: true
  inline:
    build:
      context: web
      dockerfile_inline: |
        FROM busybox
        CMD ["echo", "inline is up"]
  several:
    image: ${host}/several
    build:
      context: extra
      platforms: [linux/amd64, linux/arm64]
      dockerfile_inline: |
        FROM scratch
        COPY e.txt /
secrets:
  token: { file: ./token.txt }
`;

describe.skipIf(!HAS_CURRENT_DOCKER)("docker compose", () => {
  test("builds several services at once, pushes and starts them", async () => {
    await using project = makeContext({
      "compose.yaml": composeFile(registry.host),
      "web/Dockerfile": [
        "FROM busybox",
        "COPY --from=extra e.txt /",
        "RUN --mount=type=secret,id=token cat /run/secrets/token /e.txt | tr a-z A-Z",
        "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && grep far /etc/hosts",
        'CMD ["sh", "-c", "echo web is up; sleep 1000"]',
      ].join("\n"),
      "extra/e.txt": "extra",
      "token.txt": "token-",
    });
    const agent = `${project.path}/agent`;
    await using _agent = await startSshAgent(agent);
    const options = { cwd: project.path, env: { SSH_AUTH_SOCK: agent } };
    const compose = (...args: string[]): Promise<string> => docker.ok(["compose", ...args], options);
    const built = await compose("build", "--push", "web", "several");
    for (const text of ["TOKEN-EXTRA", "10.9.8.7"]) expect(built).toContain(text);
    const answer = await fetch(`http://${registry.host}/v2/several/manifests/latest`, {
      headers: { accept: "application/vnd.oci.image.index.v1+json" },
    });
    expect(((await answer.json()) as { readonly manifests: unknown[] }).manifests).toHaveLength(2);
    await docker.ok(["buildx", "prune", "-af"]);
    expect(await compose("build", "web")).toMatch(/importing cache manifest from [^\n]*web/);
    await compose("up", "--build", "-d", "web", "inline");
    expect(await compose("logs", "web", "inline")).toMatch(/web is up|inline is up/);
    await compose("down", "-t", "0");
  }, 120_000);
});
