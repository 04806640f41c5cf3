/**
 * Every command, alias, flag and argument rule of the docker CLI, asked of docker itself and of Berth: the help of the whole tree and the answers to
 * command lines that never reach an engine. Where no docker 28 is installed, there is nothing to compare with.
 */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { type Finished, run } from "../../tools/harness/child.ts";
import { BERTH } from "../../tools/harness/private-engine.ts";
import { BERTHS_OWN, GRAMMAR_DIFFERENCES, LINES, NOT_IN_BERTH } from "../compatibility/grammar.ts";

const DOCKER = "/usr/local/bin/docker";
const HOST = "unix:///nonexistent/engine.sock";
const ENV = { DOCKER_HOST: HOST, BERTH_HOST: "", DOCKER_CONFIG: "/nonexistent/config", DOCKER_CONTEXT: "" };

async function both(args: readonly string[]): Promise<readonly [docker: Finished, berth: Finished]> {
  return Promise.all([run(DOCKER, args, { env: ENV }), run(BERTH, args, { env: ENV })]);
}

/** Docker's name for Berth's, in every spelling. */
function neutral(text: string): string {
  return text.replaceAll("berth", "docker").replaceAll("Berth", "Docker");
}

/** The lines of a help text's section. */
function section(help: string, title: RegExp): readonly string[] {
  const lines = help.split("\n");
  return lines.flatMap((line, at) => {
    if (!title.test(line)) return [];
    const end = lines.findIndex((later, index) => index > at && !later.startsWith(" "));
    return lines.slice(at + 1, end < 0 ? undefined : end);
  });
}

function commandsOf(help: string): readonly string[] {
  return section(help, /^([A-Z]\w+ )?Commands?:$/).flatMap(
    (line) => /^ {2}([a-z][\w-]*)\*?(\s|$)/.exec(line)?.[1] ?? [],
  );
}

/** `-f, --filter filter` of every flag. */
function flagsOf(help: string): readonly string[] {
  return section(help, /Options:$/).flatMap(
    (line) => /^ {2}(-\w, | {4})(--.+?)(\s{2,}|$)/.exec(line)?.slice(1, 3).join("").trim() ?? [],
  );
}

function usageOf(help: string): string {
  return help.split("\n\n", 1)[0] ?? "";
}

/** What of docker's help a command of Berth's lacks. */
async function missingIn(path: readonly string[]): Promise<readonly string[]> {
  const [docker, berth] = await both([...path, "--help"]);
  const words = path.join(" ");
  const own = neutral(berth.stdout);
  const flags = flagsOf(own);
  const missing = flagsOf(docker.stdout).filter((flag) => !flags.includes(flag));
  const added = flags.filter((flag) => !flagsOf(docker.stdout).includes(flag));
  const problems = [
    ...missing.map((flag) => `${words}: no ${flag}`),
    ...added.map((flag) => `${words}: own ${flag}`),
    ...(usageOf(docker.stdout) === usageOf(own) ? [] : [`${words}: usage ${usageOf(own)}`]),
    ...(section(docker.stdout, /^Aliases:/).join() === section(own, /^Aliases:/).join() ? [] : [`${words}: aliases`]),
  ];
  const below = commandsOf(docker.stdout).filter((name) => !([...path, name].join(" ") in NOT_IN_BERTH));
  const deeper: string[] = [];
  for (const name of below) deeper.push(...(await missingIn([...path, name])));
  const extra = commandsOf(own).filter((name) => !commandsOf(docker.stdout).includes(name));
  return [...problems, ...extra.map((name) => `${[words, name].join(" ").trim()}: own command`), ...deeper];
}

describe.skipIf(!existsSync(DOCKER))("the docker CLI's grammar", () => {
  test("every command has docker's flags, usage and aliases", async () => {
    const found = await missingIn([]);
    expect({
      unexplained: found.filter((line) => !BERTHS_OWN.some(([known]) => known.test(line))),
      outdated: BERTHS_OWN.filter(([known]) => !found.some((line) => known.test(line))).map(([known]) => known.source),
    }).toEqual({ unexplained: [], outdated: [] });
  });

  test("command lines that are wrong get docker's answers and exit codes", async () => {
    const differing: string[] = [];
    for (const line of LINES) {
      const args = line === "" ? [] : line.split(" ");
      const [docker, berth] = await both(args);
      const expected = { exitCode: docker.exitCode, stdout: docker.stdout, stderr: docker.stderr };
      const actual = { exitCode: berth.exitCode, stdout: neutral(berth.stdout), stderr: neutral(berth.stderr) };
      const isAlike = JSON.stringify(expected) === JSON.stringify(actual);
      if (isAlike === line in GRAMMAR_DIFFERENCES) differing.push(JSON.stringify({ line, expected, actual }));
    }
    expect(differing).toEqual([]);
  });
});
