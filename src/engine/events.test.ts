import { describe, expect, test } from "bun:test";
import { EventBus } from "./events.ts";

function all(): boolean {
  return true;
}

describe("EventBus", () => {
  test("subscribe() gives what is published from the call on, in order", async () => {
    const bus = new EventBus();
    const abort = new AbortController();
    bus.publish("container", "early", "1");
    const events = bus.subscribe((event) => event.Action !== "unwanted", abort.signal);
    for (const action of ["a", "unwanted", "b"]) bus.publish("container", action, "1");
    const seen: string[] = [];
    for await (const { Action } of events) {
      seen.push(Action);
      if (Action === "b") bus.publish("container", "c", "1");
      if (Action === "c") abort.abort();
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  test("past() tells events of one millisecond apart by their time", () => {
    const bus = new EventBus();
    for (let index = 0; index < 10; index++) bus.publish("container", String(index), "1");
    const events = bus.past(0, Number.POSITIVE_INFINITY);
    expect(new Set(events.map(({ timeNano }) => timeNano)).size).toBe(10);
    const [third, fifth] = [events[3]?.timeNano ?? 0, events[5]?.timeNano ?? 0];
    expect(bus.past(third, fifth).map(({ Action }) => Action)).toEqual(["3", "4", "5"]);
  });

  test("keeps the last thousand events and drops a reader that stopped reading", async () => {
    const bus = new EventBus();
    const events = bus.subscribe(all, new AbortController().signal);
    for (let index = 0; index < 5000; index++) bus.publish("image", String(index), "1");
    expect(bus.past(0, Number.POSITIVE_INFINITY)).toHaveLength(1024);
    const seen: string[] = [];
    for await (const { Action } of events) seen.push(Action);
    expect(seen).toEqual([]);
  });
});
