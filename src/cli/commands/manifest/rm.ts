import { parseReference, tagNameOnly } from "#formats/reference.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { ManifestLists } from "../../manifest/manifest-lists.ts";
import { runForEach } from "../../run-for-each.ts";

export const command: Command = defineCommand({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  about: "Delete one or more manifest lists from local storage",
  arguments: atLeast(1),
  flags: {},
  run: ({ args }, context) =>
    runForEach(args, context, async (name) => {
      const list = tagNameOnly(parseReference(name));
      const lists = new ManifestLists(context.configDirectory);
      await lists.mustGet(list);
      await lists.remove(list);
      return undefined;
    }),
});
