import { ConflictError, InvalidParameterError } from "#errors/errors.ts";
import type { ContextSelection } from "../../context/context-selection.ts";
import { type ContextMetadata, ContextStore, checkContextName } from "../../context/context-store.ts";
import { contextNamed, describedCopy } from "../../context/default-context.ts";
import {
  ENDPOINT_HELP,
  type EndpointAndTls,
  endpointFlag,
  readEndpoint,
  storedEndpoint,
} from "../../context/endpoint-options.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";

const EXAMPLE =
  '$ berth context create my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"';

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTEXT",
  about: `Create a context\n${ENDPOINT_HELP}${EXAMPLE}`,
  arguments: exactly(1),
  offline: true,
  flags: {
    description: stringFlag("Description of the context"),
    docker: endpointFlag(),
    from: stringFlag("create context from a named context"),
  },
  async run({ flags, args }, { configDirectory, selection, streams }) {
    const store = new ContextStore(configDirectory);
    const name = args[0] ?? "";
    checkContextName(name);
    if (store.has(name)) throw new ConflictError(`context "${name}" already exists`);
    if (flags.from !== "" && flags.docker) {
      throw new InvalidParameterError("cannot use --docker flag when --from is set");
    }
    const endpointNamed = (from: string): EndpointAndTls => storedEndpoint(store, contextNamed(from, selection, store));
    const source = flags.docker ? undefined : copiedContext(flags.from, selection, store);
    const { endpoint, tls } = source ? storedEndpoint(store, source) : readEndpoint(flags.docker ?? {}, endpointNamed);
    const metadata = {
      ...source?.Metadata,
      ...(flags.description === "" ? {} : { Description: flags.description }),
    };
    await store.create({ Name: name, Metadata: metadata, Endpoints: { ...source?.Endpoints, docker: endpoint } }, tls);
    await streams.stdout.write(`${name}\n`);
    await streams.stderr.write(`Successfully created context "${name}"\n`);
    return 0;
  },
});

/** Without an endpoint of its own, a context is a copy: of the one that is named, or of the one in use. */
function copiedContext(from: string, selection: ContextSelection, store: ContextStore): ContextMetadata {
  return describedCopy(contextNamed(from || selection.name, selection, store));
}
