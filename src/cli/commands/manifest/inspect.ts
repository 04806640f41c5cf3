import { parseReference, tagNameOnly } from "#formats/reference.ts";
import { between } from "../../grammar/argument-rule.ts";
import { type Command, type CommandContext, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import { fetchManifests, type ListedManifest } from "../../manifest/listed-manifest.ts";
import { findInList, listDocument, ManifestLists } from "../../manifest/manifest-lists.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [MANIFEST_LIST] MANIFEST",
  about: "Display an image manifest, or manifest list",
  arguments: between(1, 2),
  flags: {
    insecure: booleanFlag("Allow communication with an insecure registry"),
    verbose: booleanFlag("Output additional info including layers and platform", { short: "v" }),
  },
  async run({ flags, args: [first = "", second] }, context) {
    const { isList, manifests } = await findManifests(context, first, second, flags.insecure);
    await context.streams.stdout.write(
      `${isList ? listText(manifests, flags.verbose) : oneText(manifests, flags.verbose)}\n`,
    );
    return 0;
  },
});

/** A local list, one manifest of it, or what the registry has. */
async function findManifests(
  context: CommandContext,
  first: string,
  second: string | undefined,
  insecure: boolean,
): Promise<{ readonly isList: boolean; readonly manifests: readonly ListedManifest[] }> {
  const lists = new ManifestLists(context.configDirectory);
  const list = await lists.get(tagNameOnly(parseReference(first)));
  if (second === undefined) return list ? { isList: true, manifests: list } : fetchManifests(context, first, insecure);
  const found = list && findInList(list, tagNameOnly(parseReference(second)));
  return found ? { isList: false, manifests: [found] } : fetchManifests(context, second, insecure);
}

function listText(manifests: readonly ListedManifest[], verbose: boolean): string {
  return verbose ? JSON.stringify(manifests, null, "\t") : listDocument(manifests).text;
}

function oneText([manifest]: readonly ListedManifest[], verbose: boolean): string {
  if (verbose || !manifest) return JSON.stringify(manifest, null, "\t");
  return JSON.stringify(JSON.parse(Buffer.from(manifest.Raw, "base64").toString("utf8")), null, "\t");
}
