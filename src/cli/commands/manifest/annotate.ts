import { InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import { parseReference, tagNameOnly } from "#formats/reference.ts";
import { exactly } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand } from "../../grammar/command.ts";
import { listFlag, stringFlag } from "../../grammar/flag.ts";
import type { ListedPlatform } from "../../manifest/listed-manifest.ts";
import { findInList, ManifestLists } from "../../manifest/manifest-lists.ts";

/** What Go builds for. https://go.dev/doc/install/source#environment */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  darwin: "386 amd64 arm arm64",
  dragonfly: "amd64",
  freebsd: "386 amd64 arm",
  linux: "386 amd64 arm arm64 ppc64le mips64 mips64le riscv64 s390x",
  netbsd: "386 amd64 arm",
  openbsd: "386 amd64 arm",
  plan9: "386 amd64",
  solaris: "amd64",
  windows: "386 amd64 arm64",
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] MANIFEST_LIST MANIFEST",
  about: "Add additional information to a local image manifest",
  arguments: exactly(2),
  flags: {
    arch: stringFlag("Set architecture"),
    os: stringFlag("Set operating system"),
    "os-features": listFlag("Set operating system feature", { type: "strings" }),
    "os-version": stringFlag("Set operating system version"),
    variant: stringFlag("Set architecture variant"),
  },
  async run({ flags, args: [listName = "", name = ""] }, { configDirectory }) {
    const list = tagNameOnly(parseReference(listName));
    const reference = tagNameOnly(parseReference(name));
    const lists = new ManifestLists(configDirectory);
    const manifest = findInList((await lists.get(list)) ?? [], reference);
    if (!manifest) {
      throw new NotFoundError(`manifest for image ${name} does not exist in ${listName}`);
    }
    const before = manifest.Descriptor.platform ?? { architecture: "", os: "" };
    const features = flags["os-features"].flatMap((feature) => feature.split(","));
    const version = flags["os-version"] || before["os.version"];
    const allFeatures = features.length > 0 ? features : before["os.features"];
    const variant = flags.variant || before.variant;
    const platform: ListedPlatform = {
      architecture: flags.arch || before.architecture,
      os: flags.os || before.os,
      ...(version ? { "os.version": version } : {}),
      ...(allFeatures ? { "os.features": allFeatures } : {}),
      ...(variant ? { variant } : {}),
    };
    if (!ARCHITECTURES[platform.os]?.split(" ").includes(platform.architecture)) {
      const pair = `${platform.os}/${platform.architecture}`;
      throw new InvalidParameterError(`manifest entry for image has unsupported os/arch combination: ${pair}`);
    }
    await lists.save(list, reference, { ...manifest, Descriptor: { ...manifest.Descriptor, platform } });
    return 0;
  },
});
