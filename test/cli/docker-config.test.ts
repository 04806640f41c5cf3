/** What a `config.json` does to command lines, asked of docker itself and of Berth. Where no docker 28 is installed, there is nothing to compare with. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import { BERTH } from "../../tools/harness/private-engine.ts";

const DOCKER = "/usr/local/bin/docker";
const directory = mkdtempSync(join(tmpdir(), "berth-config-"));
const ENV = { DOCKER_HOST: "unix:///nonexistent/engine.sock", BERTH_HOST: "", DOCKER_CONTEXT: "" };

afterAll(() => rmSync(directory, { recursive: true }));

async function outcome(program: string, config: string, words: readonly string[]): Promise<object> {
  writeFileSync(join(directory, "config.json"), config);
  const { exitCode, stdout, stderr } = await run(program, words, { env: { ...ENV, DOCKER_CONFIG: directory } });
  return { exitCode, stdout: stdout.replaceAll("berth", "docker"), stderr: stderr.replaceAll("berth", "docker") };
}

const DOCUMENTS = [
  "",
  "null",
  "[]",
  '"text"',
  "{ broken",
  "{} and more",
  '{"psFormat": 3}',
  '{"psFormat": 3, "currentContext": "kept"}',
  '{"aliases":"x"}',
  '{"HttpHeaders":{"X":3}}',
  '{"plugins":{"x":3}}',
  '{"proxies":{"default":{"httpProxy":3}}}',
  '{"proxies":{"default":3}}',
  '{"pruneFilters":[1]}',
  '{"experimental":true}',
  '{"cliPluginsExtraDirs":"/x"}',
  '{"auths":[]}',
  '{"auths":{"x":{"auth":3}}}',
  '{"auths":{"x":{"auth":"YWJ!"}}}',
  '{"auths":{"x":{"auth":"YWJjZA=x"}}}',
  '{"auths":{"x":{"auth":"bm9jb2xvbg=="}}}',
  '{"currentContext":"nope"}',
];

const ALIASES: readonly (readonly [config: string, words: readonly string[]])[] = [
  ['{"aliases":{"foo":"ps"}}', ["ps"]],
  ['{"aliases":{"foo":"ps"}}', ["foo"]],
  ['{"aliases":{"foo":"ps"}}', ["-v"]],
  ['{"aliases":{"builder":"ps"}}', ["ps"]],
  ['{"aliases":{"builder":""}}', ["build", "."]],
  ['{"aliases":{"builder":"nosuch"}}', ["build", "."]],
  ['{"aliases":{"builder":"nosuch"}}', ["--debug", "image", "build", "."]],
  ['{"aliases":{"builder":"nosuch"}}', ["builder", "prune"]],
  ['{"aliases":{"builder":"nosuch"}}', ["ps"]],
];

describe.skipIf(!existsSync(DOCKER))("config.json", () => {
  test("that is wrong gets docker's warning, and what is right in it counts", async () => {
    for (const config of DOCUMENTS) {
      for (const words of [["context", "show"], ["ps"]]) {
        expect({ config, ...(await outcome(BERTH, config, words)) }).toEqual({
          config,
          ...(await outcome(DOCKER, config, words)),
        });
      }
    }
  });

  test("may have the alias builder, to a plugin", async () => {
    for (const [config, words] of ALIASES) {
      expect({ config, words, ...(await outcome(BERTH, config, words)) }).toEqual({
        config,
        words,
        ...(await outcome(DOCKER, config, words)),
      });
    }
  });
});

test("the alias builder has its plugin build", async () => {
  const plugins = join(directory, "cli-plugins");
  mkdirSync(plugins);
  const metadata = JSON.stringify({ SchemaVersion: "0.1.0", Vendor: "test" });
  const script = `#!/bin/sh\nif [ "$1" = docker-cli-plugin-metadata ]; then echo '${metadata}'; else echo "plugin: $*"; fi\n`;
  writeFileSync(join(plugins, "docker-mine"), script, { mode: 0o755 });
  const config = '{"aliases":{"builder":"mine"}}';
  for (const [words, said] of [
    [["build", "-t", "x", "."], "mine build -t x ."],
    [["--debug", "image", "build", "."], "--debug mine build ."],
    [["builder", "prune"], "mine prune"],
  ] as const) {
    expect(await outcome(BERTH, config, words)).toEqual({ exitCode: 0, stdout: `plugin: ${said}\n`, stderr: "" });
  }
});
