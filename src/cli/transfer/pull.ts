import { pullImage } from "#client/image-transfer.ts";
import { familiarName, formatReference, type Reference } from "#formats/reference.ts";
import { registryAuthHeader } from "../config/registry-auth.ts";
import type { CommandContext } from "../grammar/command.ts";
import type { Output } from "../streams.ts";
import { showMessages } from "./show-messages.ts";

export interface PullFlags {
  readonly platform: string;
  readonly quiet: boolean;
  /** Where the progress goes. */
  readonly out: Output;
}

/** Pulls an image and shows how it goes. A reference without tag and digest means all tags. Throws what the engine says. */
export async function pull(reference: Reference, flags: PullFlags, context: CommandContext): Promise<void> {
  const platform = flags.platform || context.environment["DOCKER_DEFAULT_PLATFORM"];
  const messages = pullImage(context.engine, {
    name: familiarName(reference),
    tag: reference.digest ?? reference.tag ?? "",
    platform,
    auth: await registryAuthHeader(reference.domain, context),
    signal: context.signal,
  });
  await showMessages(messages, { out: flags.out, quiet: flags.quiet, context });
}

/** The name that `pull` ends with. */
export function pulledName(reference: Reference): string {
  return formatReference(reference);
}
