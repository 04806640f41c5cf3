import { pushImage } from "#client/image-transfer.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { familiarName, formatReference, parseReference, tagNameOnly } from "#formats/reference.ts";
import { flag, object, text } from "#lib/json-decoder.ts";
import { registryAuthHeader } from "../../config/registry-auth.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { checkContentTrust } from "../../run/unsupported-flags.ts";
import { showMessages } from "../../transfer/show-messages.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  about: "Upload an image to a registry",
  spellings: ["image push", "push"],
  arguments: exactly(1),
  flags: {
    "all-tags": booleanFlag("Push all tags of an image to the repository", { short: "a" }),
    "disable-content-trust": booleanFlag("Skip image signing", { initial: true }),
    platform: stringFlag(
      `Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)`,
    ),
    quiet: booleanFlag("Suppress verbose output", { short: "q" }),
  },
  async run({ flags, given, args }, context) {
    const { stdout } = context.streams;
    checkContentTrust({ flags, given }, context.environment);
    const named = parseReference(args[0] ?? "");
    if (flags["all-tags"] && named.tag !== undefined)
      throw new InvalidParameterError("tag can't be used with --all-tags/-a");
    const reference = flags["all-tags"] ? named : tagNameOnly(named);
    if (!flags["all-tags"] && named.tag === undefined && named.digest === undefined && !flags.quiet) {
      await stdout.write(`Using default tag: ${reference.tag ?? ""}\n`);
    }
    const messages = pushImage(context.engine, {
      name: familiarName(reference),
      tag: reference.tag ?? "",
      platform: flags.platform,
      auth: await registryAuthHeader(reference.domain, context),
      signal: context.signal,
    });
    const notes: string[] = [];
    if (flags.platform !== "") await stdout.write(note(PLATFORM_NOTE));
    const onAux = (aux: unknown): void => void notes.push(...notesOf(aux));
    await showMessages(messages, { out: stdout, quiet: flags.quiet, context, onAux });
    for (const text of notes) await stdout.write(note(text));
    if (flags.quiet) await stdout.write(`${formatReference(reference)}\n`);
    return 0;
  },
});

const PLATFORM_NOTE = `Using --platform pushes only the specified platform manifest of a multi-platform image index.
Other components, like attestations, will not be included.
To push the complete multi-platform image, remove the --platform flag.
`;

/** As docker/cli prints notes: internal/tui/note.go. */
function note(text: string): string {
  return `\n Info -> ${text.replaceAll("\n", "\n         ")}\n`;
}

interface PushNote {
  readonly manifestPushedInsteadOfIndex: boolean;
  readonly originalIndex: { readonly digest: string };
  readonly selectedManifest: { readonly digest: string };
}

const digest = object({ digest: text }, { digest: "" });
const decodeNote = object<PushNote>(
  { manifestPushedInsteadOfIndex: flag, originalIndex: digest, selectedManifest: digest },
  { manifestPushedInsteadOfIndex: false, originalIndex: { digest: "" }, selectedManifest: { digest: "" } },
);

function notesOf(aux: unknown): string[] {
  const { manifestPushedInsteadOfIndex, originalIndex, selectedManifest } = decodeNote(aux, "aux");
  if (!manifestPushedInsteadOfIndex) return [];
  return [
    "Not all multiplatform-content is present and only the available single-platform image was pushed\n" +
      `${originalIndex.digest} -> ${selectedManifest.digest}`,
  ];
}
