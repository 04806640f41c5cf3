import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../../tools/harness/child.ts";
import type { Layer } from "./layer-tar.ts";

/** The image configuration that all images of the bench share. https://github.com/opencontainers/image-spec/blob/main/config.md */
export function imageConfig(diffIds: readonly string[], labels: Readonly<Record<string, string>> = {}): string {
  return JSON.stringify({
    architecture: process.arch === "arm64" ? "arm64" : "amd64",
    os: "linux",
    created: "2024-01-01T00:00:00Z",
    config: { Cmd: ["sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], Labels: labels },
    rootfs: { type: "layers", diff_ids: diffIds },
    history: diffIds.map((_, index) => ({ created: "2024-01-01T00:00:00Z", created_by: `step ${index + 1}` })),
  });
}

/** Writes an OCI image layout of these layers and has skopeo push it, so that no engine of the comparison makes the input. */
export async function publishImage(reference: string, layers: readonly Layer[], directory: string): Promise<void> {
  const blobs = join(directory, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const write = (text: string): { digest: string; size: number } => {
    const hex = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(blobs, hex), text);
    return { digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
  };
  for (const layer of layers) renameSync(layer.gzip, join(blobs, layer.digest.replace("sha256:", "")));
  const config = write(imageConfig(layers.map((layer) => layer.diffId)));
  const manifest = write(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: layers.map((layer) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
        digest: layer.digest,
        size: layer.gzipSize,
      })),
    }),
  );
  const entry = { mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest };
  writeFileSync(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(directory, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
  await push(directory, reference);
  rmSync(directory, { recursive: true });
}

async function push(layout: string, reference: string): Promise<void> {
  const args = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false", `oci:${layout}`];
  const { exitCode, stderr } = await run("skopeo", [...args, `docker://${reference}`], { timeout: 180_000 });
  if (exitCode !== 0) throw new Error(`cannot push ${reference}: ${stderr}`);
}
