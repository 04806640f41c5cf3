import type { Report } from "./report.ts";
import { SCENARIOS, type World } from "./scenarios.ts";

/** Each client does one thing after the other; the last ones are waited for. */
export async function work(worlds: readonly World[], seconds: number, report: Report): Promise<void> {
  const end = Date.now() + seconds * 1000;
  await Promise.all(
    worlds.map(async (world) => {
      while (Date.now() < end) {
        const scenario = world.random.weighted(SCENARIOS);
        await scenario.run(world).catch((error: unknown) => report.problem("(content)", String(error)));
      }
    }),
  );
}
