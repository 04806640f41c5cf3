/**
 * Our text/template against the real one: the docker CLI runs templates itself, so that one engine with free-form data (a volume's Status) is
 * enough to compare all that templates can do. Where no docker 28 is installed, there is nothing to compare with.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../tools/harness/child.ts";
import { BERTH } from "../tools/harness/private-engine.ts";
import { DIFFERENCES, TEMPLATES } from "./compatibility/templates.ts";

const DOCKER = "/usr/local/bin/docker";

const VOLUME = {
  CreatedAt: "2026-01-01T00:00:00Z",
  Driver: "local",
  Labels: { a: "1", b: "<x>&", "com.x": "y" },
  Mountpoint: "/m",
  Name: "vol",
  Options: null,
  Scope: "local",
  Status: {
    s: "hello",
    n: 42,
    f: 3.5,
    neg: -7,
    t: true,
    list: ["x", "y", "z"],
    nested: { k: { z: 1, a: 2 }, l: [{ n: "one" }, { n: "two" }] },
    empty: {},
    el: [],
    es: "",
    html: "<a href='x'>&\"q\"</a>",
    uni: "h\u00e9llo w\u00f6rld \u20ac",
    nl: "a\nb\tc",
    small: 0.0001,
    tiny: 1e-7,
    zero: 0,
  },
};

const directory = mkdtempSync(join(tmpdir(), "berth-templates-"));
const socket = join(directory, "engine.sock");
let server: Server;

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader("Api-Version", "1.50");
    response.setHeader("Content-Type", "application/json");
    response.end(request.url?.includes("/volumes/vol") ? JSON.stringify(VOLUME) : '"OK"');
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
});

afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function outcome(program: string, template: string): Promise<Outcome> {
  const env = { DOCKER_HOST: `unix://${socket}`, BERTH_HOST: "", DOCKER_CONFIG: directory };
  const { exitCode, stdout, stderr } = await run(program, ["volume", "inspect", "-f", template, "vol"], { env });
  return { exitCode, stdout, stderr };
}

describe.skipIf(!existsSync(DOCKER))("templates as docker runs them", () => {
  test(`${TEMPLATES.length} templates come out alike, errors and exit codes too`, async () => {
    const differing: string[] = [];
    for (const template of TEMPLATES) {
      const [docker, berth] = await Promise.all([outcome(DOCKER, template), outcome(BERTH, template)]);
      const isAlike = JSON.stringify(docker) === JSON.stringify(berth);
      if (isAlike === template in DIFFERENCES) {
        differing.push(isAlike ? `${template} is no difference any more` : JSON.stringify({ template, docker, berth }));
      }
    }
    expect(differing).toEqual([]);
  });
});
