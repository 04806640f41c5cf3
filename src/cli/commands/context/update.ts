import { ContextStore, checkContextName } from "../../context/context-store.ts";
import { contextNamed } from "../../context/default-context.ts";
import { ENDPOINT_HELP, endpointFlag, readEndpoint, storedEndpoint } from "../../context/endpoint-options.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { stringFlag } from "../../grammar/flag.ts";

const EXAMPLE =
  '$ berth context update my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file"';

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTEXT",
  about: `Update a context\n${ENDPOINT_HELP}${EXAMPLE}`,
  arguments: exactly(1),
  offline: true,
  flags: { description: stringFlag("Description of the context"), docker: endpointFlag() },
  async run({ flags, args }, { configDirectory, selection, streams }) {
    const store = new ContextStore(configDirectory);
    const name = args[0] ?? "";
    checkContextName(name);
    const context = store.read(name);
    const changed = flags.docker
      ? readEndpoint(flags.docker, (from) => storedEndpoint(store, contextNamed(from, selection, store)))
      : undefined;
    if (changed) await store.replaceTls(name, changed.tls);
    await store.writeMetadata({
      ...context,
      Metadata: { ...context.Metadata, ...(flags.description === "" ? {} : { Description: flags.description }) },
      Endpoints: { ...context.Endpoints, ...(changed ? { docker: changed.endpoint } : {}) },
    });
    await streams.stdout.write(`${name}\n`);
    await streams.stderr.write(`Successfully updated context "${name}"\n`);
    return 0;
  },
});
