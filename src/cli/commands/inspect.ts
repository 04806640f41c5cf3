import { inspectContainer } from "#client/container-read.ts";
import type { Engine } from "#client/engine.ts";
import { EngineError, isNotFound } from "#client/engine-error.ts";
import { inspectImage } from "#client/images.ts";
import { inspectNetwork } from "#client/networks.ts";
import { inspectVolume } from "#client/volumes.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { atLeast } from "../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../grammar/command.ts";
import { booleanFlag, stringFlag } from "../grammar/flag.ts";
import { inspectFormatFlag } from "../output/format-flag.ts";
import { inspectAll } from "../output/inspect.ts";

type Fetch = (engine: Engine, name: string, size: boolean) => Promise<unknown>;

/** In the order in which a bare name is looked for. */
const KINDS: Readonly<Record<string, Fetch>> = {
  container: inspectContainer,
  image: (engine, name) => inspectImage(engine, name),
  network: (engine, name) => inspectNetwork(engine, name),
  volume: (engine, name) => inspectVolume(engine, name),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  about: "Return low-level information on Docker objects",
  arguments: atLeast(1),
  flags: {
    format: inspectFormatFlag(),
    size: booleanFlag("Display total file sizes if the type is container", { short: "s" }),
    type: stringFlag("Only inspect objects of the given type"),
  },
  async run({ flags, args, given }, { engine, streams }) {
    if (given.has("type") && flags.type === "") {
      throw new InvalidParameterError('type is empty: must be one of "container", "image", "network", "volume"');
    }
    const fetch = flags.type === "" ? findAny : KINDS[flags.type];
    if (!fetch) throw new InvalidParameterError(`unknown type: "${flags.type}": must be one of ${quotedKinds()}`);
    return inspectAll(args, flags.format, streams, (name) => fetch(engine, name, flags.size));
  },
});

function quotedKinds(): string {
  return Object.keys(KINDS)
    .map((kind) => `"${kind}"`)
    .join(", ");
}

async function findAny(engine: Engine, name: string, size: boolean): Promise<unknown> {
  for (const fetch of Object.values(KINDS)) {
    try {
      return await fetch(engine, name, size);
    } catch (error) {
      // A name may be malformed for one kind and good for another.
      if (!isNotFound(error) && !(error instanceof EngineError && error.status === 400)) throw error;
    }
  }
  throw new NotFoundError(`Error: No such object: ${name}`);
}
