import { publishDocument } from "#client/registry-documents.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { formatReference, parseReference, type Reference, repositoryName, tagNameOnly } from "#formats/reference.ts";
import { registryAuthHeader } from "../../config/registry-auth.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag } from "../../grammar/flag.ts";
import type { ListedManifest } from "../../manifest/listed-manifest.ts";
import { listDocument, ManifestLists } from "../../manifest/manifest-lists.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST",
  about: "Push a manifest list to a repository",
  arguments: exactly(1),
  flags: {
    insecure: booleanFlag("Allow push to an insecure registry"),
    purge: booleanFlag("Remove the local manifest list after push", { short: "p" }),
  },
  async run({ flags, args: [name = ""] }, context) {
    const target = tagNameOnly(parseReference(name));
    const lists = new ManifestLists(context.configDirectory);
    const manifests = await lists.mustGet(target);
    const { mediaType, text } = listDocument(manifests);
    const auth = await registryAuthHeader(target.domain, context);
    const request = {
      reference: formatReference(target),
      mediaType,
      raw: Buffer.from(text).toString("base64"),
      insecure: flags.insecure,
      sources: manifests.map((manifest) => ({ reference: sourceOf(manifest, target), auth: auth ?? "" })),
    };
    const copied = manifests.filter(({ Ref: ref }) => repositoryName(parseReference(ref)) !== repositoryName(target));
    const { descriptor } = await publishDocument(context.engine, request, auth);
    const { stdout } = context.streams;
    for (const {
      Descriptor: { digest },
    } of copied) {
      await stdout.write(`Pushed ref ${repositoryName(target)}@${digest} with digest: ${digest}\n`);
    }
    await stdout.write(`${descriptor.digest}\n`);
    if (flags.purge) await lists.remove(target);
    return 0;
  },
});

function sourceOf({ Ref: ref, Descriptor: { digest, platform } }: ListedManifest, target: Reference): string {
  const reference = parseReference(ref);
  if (!platform?.architecture || !platform.os) {
    throw new InvalidParameterError(`manifest ${ref} must have an OS and Architecture to be pushed to a registry`);
  }
  if (reference.domain !== target.domain) {
    const [from, to] = [reference.domain, target.domain];
    throw new InvalidParameterError(
      `cannot use source images from a different registry than the target image: ${from} != ${to}`,
    );
  }
  return `${repositoryName(reference)}@${digest}`;
}
