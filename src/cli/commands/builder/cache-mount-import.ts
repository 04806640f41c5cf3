import { importCacheMount } from "#client/cache-mounts.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { integerFlag, stringFlag } from "../../grammar/flag.ts";
import { openInput } from "../../transfer/input-file.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] ID",
  about: "Make or replace a cache from a tar archive",
  spellings: ["builder cache-mount import", "buildx cache-mount import"],
  arguments: exactly(1),
  flags: {
    gid: integerFlag("Group of the cache's directory, as in the Dockerfile"),
    input: stringFlag("Read from a file, instead of STDIN", { short: "i" }),
    mode: stringFlag("Mode of the cache's directory, as in the Dockerfile", { initial: "0755" }),
    uid: integerFlag("User of the cache's directory, as in the Dockerfile"),
  },
  async run({ flags, args }, { engine, streams, signal }) {
    const tar = flags.input === "" ? streams.stdin.bytes() : await openInput(flags.input);
    const { mode, uid, gid } = flags;
    await importCacheMount(engine, { id: args[0] ?? "", mode, uid, gid }, tar, signal);
    return 0;
  },
});
