import type { Compared } from "./comparison.ts";
import type { Difference } from "./differences.ts";

/** docs/compatibility.md: every command of the tour, and every difference with its reason. */
export function renderDocument(compared: readonly Compared[], differences: readonly Difference[]): string {
  return `# Beside dockerd

What the docker command line (26.1) does with Berth and with dockerd 26.1, command for command (\`test/compatibility/tour/\`), with ids, times and addresses made
equal. This page is made by \`test/compatibility/tour.test.ts\` (\`BERTH_WRITE_DOCS=1\` writes it anew), which fails when something differs that is not named here. What other
people's clients do (dockerode, Testcontainers, Docker's SDK for Python, docker-compose 1.29 and Compose 2) is in \`test/clients/clients.test.ts\`.

| command | steps | as dockerd |
|---|--:|--:|
${commandRows(compared).join("\n")}

## What differs, and why

${differences.flatMap(differenceLines).join("\n")}
`;
}

const GROUPS: ReadonlySet<string> = new Set(["image", "network", "volume", "system", "container", "builder"]);

function commandRows(compared: readonly Compared[]): string[] {
  const groups = Map.groupBy(compared, ({ step }) => commandOf(step));
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([command, steps]) => `| \`${command}\` | ${steps.length} | ${steps.filter(({ isSame }) => isSame).length} |`);
}

function commandOf(step: string): string {
  const [first = "", second = ""] = step.split(" ");
  return GROUPS.has(first) ? `${first} ${second}` : first;
}

function differenceLines({ why, steps }: Difference): string[] {
  return [`- ${why}: ${steps.map((step) => `\`${step.replaceAll("\n", " ")}\``).join(", ")}`];
}
