import { expect, test } from "bun:test";
import { ProgressReplay } from "./progress.ts";

test("ProgressReplay keeps the last message per id, and all without one, in their order", () => {
  const replay = new ProgressReplay();
  replay.add({ status: "Pulling" });
  replay.add({ id: "a", status: "Downloading" });
  replay.add({ id: "b", status: "Waiting" });
  replay.add({ id: "a", status: "Pull complete" });
  replay.add({ status: "Pulling" });
  expect([...replay.values()]).toEqual([
    { status: "Pulling" },
    { id: "a", status: "Pull complete" },
    { id: "b", status: "Waiting" },
    { status: "Pulling" },
  ]);
});
