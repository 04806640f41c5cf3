import { debugBuild } from "#client/build-history.ts";
import { removeImage } from "#client/images.ts";
import type { FailedRoot } from "#spec/build-record.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";
import { parseFlags } from "../../grammar/parse-flags.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [REF] [-- COMMAND [ARG...]]",
  about: "Open a shell in the root of the step that failed, with its environment, directory, user, devices and caches",
  spellings: ["build debug", "builder debug", "buildx debug"],
  arguments: atLeast(0),
  flags: {
    network: stringFlag("Connect the shell to a network", { initial: "default" }),
    user: stringFlag("Be another user than the step's", { short: "u" }),
  },
  async run({ args, flags }, context) {
    const { engine, streams } = context;
    // A first word that is no build's id belongs to the command.
    const isReference = /^(\^\d+|[0-9a-z]{25}|(?=.*\d)[0-9a-z]{6,24})$/.test(args[0] ?? "");
    const [reference, words] = isReference ? [args[0] ?? "", args.slice(1)] : ["", args];
    const { imageId, build, root } = await debugBuild(engine, reference);
    try {
      await streams.stderr.write(introduction(build, root));
      const { command: run } = await import("../container/run.ts");
      const isInteractive = streams.stdin.isTerminal && streams.stdout.isTerminal;
      const options = [
        ...(isInteractive ? ["-it"] : ["-i"]),
        "--rm",
        `--network=${flags.network}`,
        ...(flags.user === "" ? [] : [`--user=${flags.user}`]),
        ...root.binds.flatMap(({ source, destination, readonly }) => [
          "-v",
          `${source}:${destination}${readonly ? ":ro" : ""}`,
        ]),
        ...Object.entries(root.tmpfs).flatMap(([path, settings]) => [
          "--tmpfs",
          settings === "" ? path : `${path}:${settings}`,
        ]),
        ...(root.devices ?? []).flatMap((device) => ["--device", device]),
      ];
      const line = [...options, imageId, ...words];
      return await run.run(parseFlags(run.flags, line, { stopAtFirstArgument: true }), context);
    } finally {
      await removeImage(engine, imageId, { force: true });
    }
  },
});

function introduction(build: string, root: FailedRoot): string {
  const gone = root.gone.length === 0 ? "" : `Not there any more: ${root.gone.join(", ")}\n`;
  return `${root.step} of build ${build}, as the command left it:\n  ${root.args.map(quoted).join(" ")}\n${gone}`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
