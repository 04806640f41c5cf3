/** Completion in zsh and fish, asked as a user asks: the real shells, a real engine, and both names of the program. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeBusybox } from "../../tools/harness/busybox.ts";
import { run } from "../../tools/harness/child.ts";
import { BERTH, PrivateEngine } from "../../tools/harness/private-engine.ts";

const ZSH = "/usr/bin/zsh";
const FISH = "/usr/bin/fish";

let engine: PrivateEngine;
let environment: Readonly<Record<string, string>> = {};

beforeAll(async () => {
  engine = await PrivateEngine.start();
  await makeBusybox(engine);
  await engine.ok(["create", "--name", "box", "busybox"]);
  await engine.ok(["volume", "create", "vol"]);
  const home = join(engine.directory, "home");
  const programs = join(engine.directory, "bin");
  for (const path of [home, programs]) mkdirSync(path);
  for (const name of ["berth", "docker"]) symlinkSync(BERTH, join(programs, name));
  const environmentOfHome = {
    HOME: home,
    DOCKER_CONFIG: home,
    TERM: "xterm",
    XDG_CONFIG_HOME: home,
    XDG_DATA_HOME: home,
  };
  environment = {
    ...environmentOfHome,
    BERTH_HOST: `unix://${engine.socket}`,
    PATH: `${programs}:${process.env["PATH"]}`,
  };
  writeFileSync(join(home, "ask.zsh"), ZSH_SCRIPT);
}, 120_000);

afterAll(() => engine.close());

/** Types a line into an interactive zsh, lists the choices, and prints what stands on the screen until they are there. */
const ZSH_SCRIPT = String.raw`
zmodload zsh/zpty
zpty -b shell zsh -f -i
zpty -w shell "PS1='> '; stty columns 200; autoload -Uz compinit; compinit -u -D; source <($1 completion zsh); LISTMAX=1000; bindkey '^X' list-choices; print REA''DY"
wait_for() {
  local screen chunk
  repeat 400; do
    zpty -rt shell chunk && screen+=$chunk || sleep 0.02
    [[ $screen == *$1* ]] && break
  done
  print -r -- "$screen"
}
wait_for READY > /dev/null
zpty -n -w shell "$2"$'\x18'
wait_for $3
zpty -d shell
`;

/** The choices that zsh shows for a line, once `last` is among them. */
async function askZsh(program: string, line: string, last: string): Promise<string> {
  const script = join(environment["HOME"] ?? "", "ask.zsh");
  const { stdout } = await run(ZSH, ["-f", script, program, line, last], { env: environment, timeout: 60_000 });
  return stdout.replace(/\x1b\[[0-9;?]*[a-zA-Z]|\r/g, "");
}

async function askFish(program: string, line: string): Promise<string> {
  const command = `${program} completion fish | source; complete -C '${line}'`;
  const { stdout } = await run(FISH, ["-c", command], { env: environment, timeout: 60_000 });
  return stdout;
}

const LINES: readonly (readonly [line: string, value: string, about: string])[] = [
  ["rena", "rename", "Rename a container"],
  ["image hi", "history", "Show the history of an image"],
  ["run --net", "--network-alias", "Add network-scoped alias for the container"],
  ["start b", "box", "busybox, Created"],
  ["rmi b", "busybox:latest", "MB"],
  ["network inspect ho", "host", "host"],
  ["volume rm ", "vol", "local"],
  ["context use de", "default", "unix://"],
  ["run --network ", "bridge", "bridge"],
];

for (const program of ["berth", "docker"]) {
  describe.skipIf(!existsSync(ZSH))(`${program} in zsh`, () => {
    for (const [line, value, about] of LINES) {
      test(`completes "${line}"`, async () => {
        const screen = await askZsh(program, `${program} ${line}`, about);
        expect(screen).toContain(value);
        expect(screen).toContain(about);
      });
    }
  });

  describe.skipIf(!existsSync(FISH))(`${program} in fish`, () => {
    for (const [line, value, about] of LINES) {
      test(`completes "${line}"`, async () => {
        const found = (await askFish(program, `${program} ${line}`)).split("\n");
        expect(found.some((one) => one.startsWith(`${value}\t`) && one.includes(about))).toBe(true);
      });
    }
  });
}
