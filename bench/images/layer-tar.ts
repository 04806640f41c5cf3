import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { run } from "../../tools/harness/child.ts";

/** A layer on disk: its tar, and the gzip of it that a registry keeps. */
export interface Layer {
  readonly tar: string;
  /** `sha256:…` of the tar. */
  readonly diffId: string;
  readonly size: number;
  readonly gzip: string;
  readonly digest: string;
  readonly gzipSize: number;
}

/** Packs the named paths below `root` (directories are not entered) into `file` and `file`.gz. */
export async function packLayer(root: string, paths: readonly string[], file: string): Promise<Layer> {
  const flags = ["--create", "--file", file, "--directory", root, "--no-recursion", "--numeric-owner", "--sort=none"];
  const { exitCode, stderr } = await run("tar", [...flags, "--null", "--files-from=-"], { input: paths.join("\0") });
  if (exitCode !== 0) throw new Error(`tar ended with ${exitCode}: ${stderr}`);
  const gzip = `${file}.gz`;
  await pipeline(createReadStream(file), createGzip({ level: 6 }), createWriteStream(gzip));
  return {
    tar: file,
    diffId: await digestOf(file),
    size: (await stat(file)).size,
    gzip,
    digest: await digestOf(gzip),
    gzipSize: (await stat(gzip)).size,
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return `sha256:${hash.digest("hex")}`;
}
