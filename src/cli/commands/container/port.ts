import { inspectContainer } from "#client/container-read.ts";
import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { PortMapEntry } from "#spec/docker-containers.ts";
import { between } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { joinHostPort } from "../../output/container-ports.ts";

export const command: Command = defineCommand({
  usage: "CONTAINER [PRIVATE_PORT[/PROTO]]",
  about: "List port mappings or a specific mapping for the container",
  spellings: ["container port", "port"],
  arguments: between(1, 2),
  flags: {},
  async run({ args: [name = "", port] }, { engine, streams }) {
    const { NetworkSettings: network } = await inspectContainer(engine, name);
    const ports = Object.entries(network.Ports ?? {});
    const lines = port === undefined ? ports.flatMap(allMappings) : oneMapping(ports, port, name);
    await streams.stdout.write(lines.map((line) => `${line}\n`).join(""));
    return 0;
  },
});

type Mapping = readonly [port: string, bindings: readonly PortMapEntry[] | null];

/** `80/tcp -> 0.0.0.0:8080`. */
function allMappings([port, bindings]: Mapping): readonly string[] {
  return (bindings ?? []).map((binding) => `${port} -> ${addressOf(binding)}`);
}

function oneMapping(ports: readonly Mapping[], text: string, container: string): readonly string[] {
  const [number = "", protocol = "tcp"] = text.split("/");
  if (!/^\d+$/.test(number)) {
    throw new InvalidParameterError(
      `Error: invalid port (${number}): strconv.ParseUint: parsing "${number}": invalid syntax`,
    );
  }
  const bindings = ports.find(([port]) => port === `${number}/${protocol}`)?.[1];
  if (!bindings) throw new NotFoundError(`Error: No public port '${text}' published for ${container}`);
  return bindings.map(addressOf);
}

function addressOf(binding: PortMapEntry): string {
  return joinHostPort(binding.HostIp, binding.HostPort);
}
