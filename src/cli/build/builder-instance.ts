import { engineInfo } from "#client/system.ts";
import type { CommandContext } from "../grammar/command.ts";

/** A builder as buildx counts them. Berth has one: the engine in use, with the driver `docker`. */
export interface BuilderInstance {
  readonly name: string;
  readonly version: string;
  readonly platforms: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** The engine in use as a builder; its name is the context's. */
export async function builderInstance({ engine, selection }: CommandContext): Promise<BuilderInstance> {
  const info = await engineInfo(engine);
  const architecture = String(info["Architecture"] ?? "");
  return {
    name: selection.name,
    version: String(info["ServerVersion"] ?? ""),
    platforms: `${String(info["OSType"] ?? "linux")}/${ARCHITECTURES[architecture] ?? architecture}`,
  };
}
