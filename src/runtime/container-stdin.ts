import { finished } from "node:stream";
import { SystemError, UnavailableError } from "#errors/errors.ts";
import { startChild } from "#sys/command.ts";
import type { ContainerStdin } from "./container-runtime.ts";

/** conmon reads messages of at most 32 KiB and drops the rest of a longer one. */
const MESSAGE_SIZE = 8192;
const SOCK_SEQPACKET = 5;

/**
 * Opens a container's standard input through conmon's attach socket. That is a SOCK_SEQPACKET socket, which Bun cannot open, so socat
 * stands between. conmon also sends all output there and stalls the container when nobody reads it: socat reads and discards it; output
 * comes from the log. Ending the writable shuts the socket down for writing, which conmon takes as end-of-file.
 */
export function openContainerStdin(bundleDirectory: string): ContainerStdin {
  const child = startChild(
    "socat",
    // Relative to the bundle: the absolute path may be longer than a socket address.
    ["-b", String(MESSAGE_SIZE), "STDIN!!OPEN:/dev/null,wronly", `UNIX-CONNECT:attach,type=${SOCK_SEQPACKET}`],
    { cwd: bundleDirectory, stdio: ["pipe", "ignore", "ignore"] },
  );
  const { stdin } = child;
  if (!stdin) throw new SystemError("cannot open standard input: socat has no pipe");
  child.once("error", (cause) => {
    stdin.destroy(
      new UnavailableError('cannot open standard input: socat is not installed: install the Debian package "socat"', {
        cause,
      }),
    );
  });
  child.once("exit", () => stdin.destroy());
  // The container may end while input is under way: that is no error of the writer's.
  finished(stdin, () => undefined);
  stdin.on("error", () => undefined);
  return { writable: stdin, close: () => void child.kill("SIGTERM") };
}
