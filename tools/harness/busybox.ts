import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { BERTH, type PrivateEngine } from "./private-engine.ts";

const CACHE = join(import.meta.dirname, "..", "..", ".cache");
const BUSYBOX = "/bin/busybox";

/**
 * Makes the image `busybox` with the engine itself: a static program, its links, and root in /etc/passwd. What one engine has built the next ones of the same program
 * load, which takes a third of the time.
 */
export async function makeBusybox(engine: PrivateEngine): Promise<void> {
  const archive = join(CACHE, `busybox-${versions()}.tar`);
  if (existsSync(archive)) await engine.ok(["load", "-q", "-i", archive]);
  else await buildBusybox(engine).then(() => keep(engine, archive));
}

/** Of the programs that make it: a build replaces its file. */
function versions(): string {
  const states = [BERTH, BUSYBOX, import.meta.path].map((path) => statSync(path));
  const all = states.map(({ size, mtimeMs }) => `${size} ${mtimeMs}`).join("\n");
  return createHash("sha256").update(all).digest("hex").slice(0, 16);
}

/** Several tests may do that at once. */
async function keep(engine: PrivateEngine, archive: string): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  const earlier = readdirSync(CACHE).filter((name) => /^busybox-\w+\.tar$/.test(name));
  const saved = join(engine.directory, "busybox.tar");
  await engine.ok(["save", "-o", saved, "busybox"]);
  const copy = `${archive}.${engine.directory.split("-").at(-1)}`;
  copyFileSync(saved, copy);
  renameSync(copy, archive);
  for (const name of earlier) rmSync(join(CACHE, name), { force: true });
  rmSync(saved);
}

async function buildBusybox(engine: PrivateEngine): Promise<void> {
  await using context = makeContext({
    Dockerfile: [
      "FROM scratch",
      "COPY busybox /bin/busybox",
      'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /etc /root /tmp /usr/bin /usr/sbin /sbin && /bin/busybox --install -s"]',
      "RUN echo root:x:0:0:root:/root:/bin/sh > /etc/passwd && echo app:x:1000:1000::/home/app:/bin/sh >> /etc/passwd && echo root:x:0: > /etc/group && chmod 1777 /tmp",
      'CMD ["sh"]',
    ].join("\n"),
  });
  copyFileSync(BUSYBOX, join(context.path, "busybox"));
  await engine.ok(["build", "-q", "-t", "busybox", context.path]);
}

/** A directory with the given files, for the length of a test. */
export function makeContext(
  files: Readonly<Record<string, string | Uint8Array>>,
): AsyncDisposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "berth-context-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return { path, [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }) };
}
