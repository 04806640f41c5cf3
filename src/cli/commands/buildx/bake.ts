import { InvalidParameterError } from "#errors/errors.ts";
import { parseOverride } from "../../bake/overrides.ts";
import { printedPlan } from "../../bake/print-plan.ts";
import { bakeDefinitions, readBakeFiles } from "../../bake/read-bake-files.ts";
import { resolveTargets } from "../../bake/resolve-targets.ts";
import { runPlan } from "../../bake/run-plan.ts";
import { builderFlag } from "../../build/builder-flag.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { booleanFlag, listFlag, stringFlag } from "../../grammar/flag.ts";

export const command: Command = defineCommand({
  usage: "[OPTIONS] [TARGET...]",
  about: "Build from a file",
  spellings: ["bake", "buildx bake", "builder bake"],
  arguments: atLeast(0),
  flags: {
    allow: listFlag('Allow what targets ask for (e.g., "network.host")'),
    ...builderFlag,
    file: listFlag("Build definition file", { short: "f", type: "stringArray" }),
    load: booleanFlag('Shorthand for "--set=*.output=type=docker"'),
    "metadata-file": stringFlag("Write build result metadata to the file"),
    "no-cache": booleanFlag("Do not use cache when building the image"),
    print: booleanFlag("Print the options without building"),
    progress: stringFlag('Set type of progress output ("auto", "plain", "tty", "quiet", "rawjson")', {
      initial: "auto",
    }),
    provenance: stringFlag('Shorthand for "--set=*.attest=type=provenance"'),
    pull: booleanFlag("Always attempt to pull all referenced images"),
    push: booleanFlag('Shorthand for "--set=*.output=type=registry"'),
    sbom: stringFlag('Shorthand for "--set=*.attest=type=sbom"'),
    set: listFlag('Override target value (e.g., "targetpattern.key=value")', { type: "stringArray" }),
  },
  async run({ args, flags }, context) {
    const { environment, streams, workingDirectory } = context;
    if (flags.push && flags.load)
      throw new InvalidParameterError("push and load may not be set together at the moment");
    const shorthands = [
      ...(flags.push ? ["*.push=true"] : []),
      ...(flags.load ? ["*.output=type=docker"] : []),
      ...(flags["no-cache"] ? ["*.no-cache=true"] : []),
      ...(flags.pull ? ["*.pull=true"] : []),
      ...attest("provenance", flags.provenance),
      ...attest("sbom", flags.sbom),
    ];
    const files = await readBakeFiles(flags.file, workingDirectory, async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of streams.stdin.bytes()) chunks.push(chunk);
      return Buffer.concat(chunks).toString("utf8");
    });
    const definitions = bakeDefinitions(files, workingDirectory, environment);
    const overrides = [...flags.set, ...shorthands].map(parseOverride);
    const plan = resolveTargets(definitions, { names: args, overrides, environment });
    for (const remark of definitions.remarks) await streams.stderr.write(`WARNING: ${remark}\n`);
    if (!flags.print) return await runPlan(plan, { ...flags, metadataFile: flags["metadata-file"] }, context);
    await streams.stdout.write(printedPlan(plan));
    return 0;
  },
});

/** As buildx makes an attestation of a flag: a boolean, or its fields. */
function attest(type: string, value: string): readonly string[] {
  if (value === "") return [];
  if (/^(1|t|true)$/i.test(value)) return [`*.attest=type=${type},disabled=false`];
  if (/^(0|f|false)$/i.test(value)) return [`*.attest=type=${type},disabled=true`];
  return [`*.attest=type=${type},${value}`];
}
