import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { PrivateEngine } from "./private-engine.ts";

/** Makes the image `busybox` with the engine itself: a static program, its links, and root in /etc/passwd. */
export async function makeBusybox(engine: PrivateEngine): Promise<void> {
  await using context = makeContext({
    Dockerfile: [
      "FROM scratch",
      "COPY busybox /bin/busybox",
      'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox mkdir -p /etc /root /tmp /usr/bin /usr/sbin /sbin && /bin/busybox --install -s"]',
      "RUN echo root:x:0:0:root:/root:/bin/sh > /etc/passwd && echo app:x:1000:1000::/home/app:/bin/sh >> /etc/passwd && echo root:x:0: > /etc/group && chmod 1777 /tmp",
      'CMD ["sh"]',
    ].join("\n"),
  });
  copyFileSync("/bin/busybox", join(context.path, "busybox"));
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
