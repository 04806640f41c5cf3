#!/usr/bin/env bun
/**
 * The program. Each side is loaded only when it is asked for: `berth ps` must answer in milliseconds and never pays for the
 * engine.
 */
import { expectMuchWork } from "#lib/jit-policy.ts";

const words = process.argv.slice(2);

if (words[0] === "daemon") {
  expectMuchWork();
  const { runDaemon } = await import("#daemon/main.ts");
  process.exit(
    await runDaemon(words.slice(1), {
      stdout: (text) => void process.stdout.write(text),
      stderr: (text) => void process.stderr.write(text),
    }),
  );
} else if (words[0] === "name-service") {
  expectMuchWork();
  const { runNameService } = await import("#network/names/name-service.ts");
  process.exit(await runNameService(words.slice(1)));
} else {
  const { runCli } = await import("#cli/main.ts");
  process.exit(await runCli(words));
}
