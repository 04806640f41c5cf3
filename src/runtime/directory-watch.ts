import { type FSWatcher, watch } from "node:fs";

/** Calls `onChange` with the name of each entry of a directory that was made, written, renamed or removed. Kernel events, no polling. */
export function watchDirectory(path: string, onChange: (name: string) => void): { close(): void } {
  const watcher: FSWatcher = watch(path, { persistent: false }, (_event, name) => onChange(name ?? ""));
  watcher.on("error", () => undefined);
  return watcher;
}
