import { describe, expect, test } from "bun:test";
import type { EventMessage } from "#spec/docker-system.ts";
import { eventFilter } from "./event-filter.ts";

function event(
  Type: EventMessage["Type"],
  Action: string,
  ID: string,
  Attributes: Record<string, string> = {},
): EventMessage {
  return { Type, Action, Actor: { ID, Attributes }, scope: "local", time: 0, timeNano: 0 };
}

const START = event("container", "start", "abc123", {
  name: "web",
  image: "nginx:1.27",
  "com.example": "x",
  tier: "a",
});
const HEALTH = event("container", "health_status: healthy", "abc123", { name: "web", image: "nginx:1.27" });
const PULL = event("image", "pull", "nginx:1.27", { name: "nginx" });

describe("eventFilter()", () => {
  test.each<[Record<string, string[]>, boolean[]]>([
    [{}, [true, true, true]],
    [{ type: ["container"] }, [true, true, false]],
    [{ type: ["image", "container"] }, [true, true, true]],
    [{ event: ["start"] }, [true, false, false]],
    [{ event: ["star"] }, [false, false, false]],
    [{ event: ["health_status"] }, [false, true, false]],
    [{ event: ["health_status: healthy"] }, [false, true, false]],
    [{ event: ["health_status", "st"] }, [true, true, false]],
    [{ container: ["web"] }, [true, true, false]],
    [{ container: ["abc"] }, [true, true, false]],
    [{ container: ["bc"] }, [false, false, false]],
    [{ image: ["nginx"] }, [true, true, true]],
    [{ image: ["nginx:1.27"] }, [true, true, true]],
    [{ image: ["nginx:1"] }, [false, false, false]],
    [{ label: ["tier=a"] }, [true, false, false]],
    [{ label: ["tier=a", "com.example"] }, [true, false, false]],
    [{ label: ["tier=b"] }, [false, false, false]],
    [{ scope: ["local"] }, [true, true, true]],
    [{ scope: ["swarm"] }, [false, false, false]],
    [{ daemon: ["x"] }, [false, false, false]],
    [{ type: ["container"], event: ["start"], container: ["web"] }, [true, false, false]],
  ])("%j", (filters, expected) => {
    const isWanted = eventFilter(new Map(Object.entries(filters)));
    expect([START, HEALTH, PULL].map(isWanted)).toEqual(expected);
  });

  test("refuses a filter that it does not know", () => {
    expect(() => eventFilter(new Map([["colour", ["red"]]]))).toThrow("invalid filter 'colour'");
  });
});
