/** npm run load -- [--minutes N] [--clients N] [--containers N] [--seed N] [--crash TIMES]: see CONTRIBUTING.md. */
import { parseArgs } from "node:util";
import { runLoad } from "./load-run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    clients: { type: "string", default: "64" },
    containers: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
    crash: { type: "string", default: "0" },
  },
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);

say(`seed ${values.seed}`);
const { calls, problems } = await runLoad({
  seconds: Number(values.minutes) * 60,
  warmUpSeconds: Math.min(30, Number(values.minutes) * 12),
  clients: Number(values.clients),
  containers: Number(values.containers),
  seed: Number(values.seed),
  crashes: Number(values.crash),
  log: say,
});
for (const problem of problems) say(`PROBLEM  ${problem}`);
say(`${calls} calls, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
