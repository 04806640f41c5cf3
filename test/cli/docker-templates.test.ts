/**
 * Our text/template against the real one: the docker CLI runs templates itself, so that one engine with free-form data (a volume's Status) is
 * enough to compare all that templates can do. Where no docker 28 is installed, there is nothing to compare with.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { BERTH } from "../../tools/harness/private-engine.ts";
import { DIFFERENCES, OTHER_TEMPLATES, TEMPLATES } from "../compatibility/templates.ts";

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

const VERSION = {
  Platform: { Name: "" },
  Components: [{ Name: "Engine", Version: "1", Details: { B: "b", A: "a" } }],
  Version: "1",
  ApiVersion: "1.50",
  MinAPIVersion: "1.24",
  GitCommit: "c",
  GoVersion: "g",
  Os: "linux",
  Arch: "amd64",
  KernelVersion: "k",
};

const INFO = {
  ID: "i",
  Containers: 1,
  Driver: "d",
  Plugins: { Volume: ["local"], Network: [], Authorization: null, Log: null },
  Runtimes: { runc: { path: "/r" } },
  Swarm: { LocalNodeState: "inactive" },
};

const CREATED = 1_700_000_000;
const DISK_USAGE = {
  LayersSize: 2_000_000,
  Images: [
    {
      Id: `sha256:${"a".repeat(64)}`,
      RepoTags: ["x:1", "y:2"],
      Created: CREATED,
      Size: 2e6,
      SharedSize: 5e5,
      Containers: 1,
    },
  ],
  Containers: [
    {
      Id: "c".repeat(64),
      Names: ["/n"],
      Image: "x:1",
      ImageID: "",
      Command: "a <b>",
      Created: CREATED,
      Ports: [],
      Labels: { z: "1", a: "2" },
      State: "running",
      Status: "Up",
      HostConfig: {},
      NetworkSettings: { Networks: {} },
      Mounts: [],
      SizeRw: 5,
    },
  ],
  Volumes: [
    { Name: "v", Driver: "local", Mountpoint: "/m", Scope: "local", Labels: null, UsageData: { Size: 3, RefCount: 1 } },
  ],
  BuildCache: [
    {
      ID: "b".repeat(25),
      Type: "regular",
      Description: "RUN <x>",
      InUse: false,
      Shared: true,
      Size: 5,
      CreatedAt: "2024-01-01T00:00:00.863Z",
      LastUsedAt: null,
      UsageCount: 1,
    },
  ],
};

const directory = mkdtempSync(join(tmpdir(), "berth-templates-"));
const socket = join(directory, "engine.sock");
let server: Server;

const ANSWERS: Readonly<Record<string, unknown>> = {
  "/volumes/vol": VOLUME,
  "/version": VERSION,
  "/info": INFO,
  "/system/df": DISK_USAGE,
  "/containers/json": DISK_USAGE.Containers,
};

beforeAll(async () => {
  server = createServer((request, response) => {
    response.setHeader("Api-Version", "1.50");
    response.setHeader("Content-Type", "application/json");
    const path = (request.url ?? "").replace(/^\/v1\.\d+/, "").replace(/\?.*/, "");
    response.end(JSON.stringify(ANSWERS[path] ?? "OK"));
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

async function outcome(
  program: string,
  template: string,
  before: readonly string[] = ["volume", "inspect", "-f"],
  behind: readonly string[] = ["vol"],
): Promise<Outcome> {
  const env = { DOCKER_HOST: `unix://${socket}`, BERTH_HOST: "", DOCKER_CONFIG: directory };
  const { exitCode, stdout, stderr } = await run(program, [...before, template, ...behind], { env });
  return { exitCode, stdout, stderr };
}

describe.skipIf(!existsSync(DOCKER))("templates as docker runs them", () => {
  test("templates of commands that have structs of their own come out alike, errors and exit codes too", async () => {
    for (const [words, templates] of OTHER_TEMPLATES) {
      for (const template of templates) {
        const [docker, berth] = await Promise.all(
          [DOCKER, BERTH].map((program) => outcome(program, template, words.split(" "), [])),
        );
        expect({ words, template, ...berth }).toEqual({ words, template, ...docker });
      }
    }
  });

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
  }, 300_000);
});
