import { removeCacheMount } from "#client/cache-mounts.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "CACHE [CACHE...]",
  about: "Remove caches, by id or key",
  spellings: ["builder cache-mount rm", "buildx cache-mount rm"],
  arguments: atLeast(1),
  flags: {},
  run: ({ args }, context) =>
    runForEach(args, context, async (reference) => {
      await removeCacheMount(context.engine, reference);
      return reference;
    }),
});
