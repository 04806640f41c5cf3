import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import { familiarString, parseReference, tagNameOnly } from "#formats/reference.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { fetchManifests } from "../../manifest/listed-manifest.ts";
import { ManifestLists } from "../../manifest/manifest-lists.ts";

export const command: Command = defineCommand({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  about: "Create a local manifest list for annotating and pushing to a registry",
  arguments: atLeast(2),
  flags: {
    amend: booleanFlag("Amend an existing manifest list", { short: "a" }),
    insecure: booleanFlag("Allow communication with an insecure registry"),
  },
  async run({ flags, args: [name = "", ...names] }, context) {
    const list = tagNameOnly(parseReference(name));
    const lists = new ManifestLists(context.configDirectory);
    if (!flags.amend && (await lists.get(list))) {
      throw new ConflictError("refusing to amend an existing manifest list with no --amend flag");
    }
    const found = [];
    for (const manifest of names) {
      const { isList, manifests } = await fetchManifests(context, manifest, flags.insecure);
      if (isList) throw new InvalidParameterError(`${manifest} is a manifest list`);
      found.push({ reference: tagNameOnly(parseReference(manifest)), manifests });
    }
    for (const { reference, manifests } of found) {
      for (const content of manifests) await lists.save(list, reference, content);
    }
    await context.streams.stdout.write(`Created manifest list ${familiarString(list)}\n`);
    return 0;
  },
});
