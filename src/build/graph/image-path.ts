import { posix } from "node:path";

/** `path` as WORKDIR means it: absolute and clean, a relative one below `current`. */
export function joinWorkdir(current: string, path: string): string {
  const joined = posix.isAbsolute(path) ? path : posix.join(current === "" ? "/" : current, path);
  return withoutTrailingSlash(posix.normalize(posix.join("/", joined)));
}

/** The destination of COPY: absolute and clean; a trailing slash stays, as it says that the destination is a directory. */
export function copyDestination(workdir: string, destination: string): string {
  const path = joinWorkdir(workdir, destination);
  const isDirectory = destination === "" || destination === "." || /(^|\/)\.?$/.test(destination);
  return isDirectory && path !== "/" ? `${path}/` : path;
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
