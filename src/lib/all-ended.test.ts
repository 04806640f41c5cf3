import { describe, expect, test } from "bun:test";
import { allEnded } from "./all-ended.ts";

describe("allEnded()", () => {
  test("gives what all come to", async () => {
    const stop = new AbortController();
    expect(await allEnded([Promise.resolve(1), Promise.resolve("two")], stop)).toEqual([1, "two"]);
    expect(stop.signal.aborted).toBe(false);
  });

  test("stops the others at the first failure, and throws it when they have ended", async () => {
    const stop = new AbortController();
    const ended: string[] = [];
    const patient = new Promise<never>((_, reject) => {
      stop.signal.addEventListener("abort", () => setTimeout(() => reject(new Error("stopped")), 10), { once: true });
    });
    patient.catch(() => ended.push("patient"));
    await expect(allEnded([patient, Promise.reject(new Error("first"))], stop)).rejects.toThrow("first");
    expect(ended).toEqual(["patient"]);
  });
});
