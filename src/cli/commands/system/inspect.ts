import { readJson } from "#client/connection/response-body.ts";
import { inspectContainer } from "#client/container-read.ts";
import type { Engine } from "#client/engine.ts";
import { EngineError, isNotFound } from "#client/engine-error.ts";
import { inspectImage } from "#client/images.ts";
import { inspectNetwork } from "#client/networks.ts";
import { inspectVolume } from "#client/volumes.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, stringFlag } from "../../grammar/flag.ts";
import { inspectFormatFlag } from "../../output/format-flag.ts";
import { inspectAll } from "../../output/inspect.ts";
import type { Output } from "../../streams.ts";

type Fetch = (engine: Engine, name: string, size: boolean) => Promise<unknown>;

/** In the order in which a bare name is looked for. */
const FOUND_BY_NAME: Readonly<Record<string, Fetch>> = {
  container: inspectContainer,
  image: (engine, name) => inspectImage(engine, name),
  network: (engine, name) => inspectNetwork(engine, name),
  volume: (engine, name) => inspectVolume(engine, name),
};

/** Of a swarm, and plugins: an engine without them says so itself. */
const ASKED_FOR: Readonly<Record<string, Fetch>> = {
  config: (engine, name) => fetchAt(engine, `/configs/${encodeURIComponent(name)}`),
  node: (engine, name) => fetchAt(engine, `/nodes/${encodeURIComponent(name)}`),
  plugin: (engine, name) => fetchAt(engine, `/plugins/${encodeURIComponent(name)}/json`),
  secret: (engine, name) => fetchAt(engine, `/secrets/${encodeURIComponent(name)}`),
  service: (engine, name) => fetchAt(engine, `/services/${encodeURIComponent(name)}`),
  task: (engine, name) => fetchAt(engine, `/tasks/${encodeURIComponent(name)}`),
};

const KINDS: Readonly<Record<string, Fetch>> = { ...FOUND_BY_NAME, ...ASKED_FOR };

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
      throw new InvalidParameterError(`type is empty: must be one of ${quotedKinds()}`);
    }
    const fetch = flags.type === "" ? findAny : KINDS[flags.type];
    if (!fetch) throw new InvalidParameterError(`unknown type: "${flags.type}": must be one of ${quotedKinds()}`);
    return inspectAll(args, flags.format, streams, async (name) => {
      const found = await fetch(engine, name, flags.size);
      if (flags.size) await warnOfSize(found, flags.type, streams.stderr);
      return found;
    });
  },
});

function quotedKinds(): string {
  return Object.keys(KINDS)
    .sort()
    .map((kind) => `"${kind}"`)
    .join(", ");
}

async function fetchAt(engine: Engine, path: string): Promise<unknown> {
  return readJson(await engine.send({ method: "GET", path }));
}

/** Only containers have sizes of their own. */
async function warnOfSize(found: unknown, type: string, stderr: Output): Promise<void> {
  const isContainer = typeof found === "object" && found !== null && "HostConfig" in found;
  const isImage = typeof found === "object" && found !== null && "RootFS" in found;
  if (!isContainer) await stderr.write(`WARNING: --size ignored for ${type || (isImage ? "image" : "object")}\n`);
}

async function findAny(engine: Engine, name: string, size: boolean): Promise<unknown> {
  for (const fetch of Object.values(FOUND_BY_NAME)) {
    try {
      return await fetch(engine, name, size);
    } catch (error) {
      // A name may be malformed for one kind and good for another.
      if (!isNotFound(error) && !(error instanceof EngineError && error.status === 400)) throw error;
    }
  }
  throw new NotFoundError(`Error: No such object: ${name}`);
}
