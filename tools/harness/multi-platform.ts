import { join } from "node:path";
import type { PrivateEngine } from "./private-engine.ts";
import { rawTar } from "./raw-tar.ts";
import { digestOf } from "./scripted-registry.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";

export interface PublishedIndex {
  /** Of the index. */
  readonly digest: string;
  /** Of each platform's manifest. */
  readonly manifests: Readonly<Record<string, string>>;
}

/**
 * Puts an image of several platforms into a registry, made with the engine itself, which keeps none of it. Each has busybox and a file
 * `/platform` that names it, and prints that.
 */
export async function publishIndex(
  engine: PrivateEngine,
  host: string,
  repository: string,
  platforms: readonly string[],
): Promise<PublishedIndex> {
  const descriptors = [];
  for (const platform of platforms) {
    const name = `${host}/${repository}:${platform.replaceAll("/", "-")}`;
    const archive = join(engine.directory, "platform.tar");
    const busybox = await Bun.file("/bin/busybox").bytes();
    const files = [
      { path: "busybox", mode: 0o755, content: busybox },
      { path: "platform", content: `${platform}\n` },
    ];
    await Bun.write(archive, rawTar(files));
    await engine.ok(["import", "--platform", platform, "-c", 'CMD ["/busybox","cat","/platform"]', archive, name]);
    await engine.ok(["push", "-q", name]);
    await engine.ok(["rmi", name]);
    const [os, architecture, variant] = platform.split("/");
    const bytes = await fetchManifest(host, repository, name.split(":").at(-1) ?? "");
    descriptors.push({
      mediaType: MANIFEST,
      digest: digestOf(bytes),
      size: bytes.length,
      platform: { os, architecture, ...(variant ? { variant } : {}) },
    });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: descriptors }));
  const url = `http://${host}/v2/${repository}/manifests/latest`;
  const answer = await fetch(url, { method: "PUT", headers: { "content-type": INDEX }, body: index });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  const manifests = descriptors.map(({ digest }, at) => [platforms[at] ?? "", digest] as const);
  return { digest: digestOf(index), manifests: Object.fromEntries(manifests) };
}

/** A manifest's bytes as the registry has it. */
async function fetchManifest(host: string, repository: string, tag: string): Promise<Uint8Array> {
  const url = `http://${host}/v2/${repository}/manifests/${tag}`;
  const answer = await fetch(url, { headers: { accept: `${MANIFEST}, ${INDEX}` } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.bytes();
}
