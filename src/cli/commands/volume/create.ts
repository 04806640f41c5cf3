import { createVolume } from "#client/volumes.ts";
import { InvalidParameterError } from "#errors/errors.ts";
import { atMost } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { listFlag, stringFlag } from "../../grammar/flag.ts";
import { keyValueMap } from "../../run/key-value-file.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [VOLUME]",
  about: "Create a volume",
  arguments: atMost(1),
  flags: {
    driver: stringFlag("Specify volume driver name", { short: "d", initial: "local" }),
    label: listFlag("Set metadata for a volume"),
    name: stringFlag("Specify volume name", { hidden: true }),
    opt: listFlag("Set driver specific options", { short: "o", type: "map", defaultText: "map[]" }),
  },
  async run({ flags, args }, { engine, streams }) {
    if (flags.name !== "" && args[0] !== undefined) {
      throw new InvalidParameterError(
        "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
      );
    }
    const volume = await createVolume(engine, {
      Name: args[0] ?? flags.name,
      Driver: flags.driver,
      DriverOpts: keyValueMap(flags.opt),
      Labels: keyValueMap(flags.label),
    });
    await streams.stdout.write(`${volume.Name}\n`);
    return 0;
  },
});
