import { describe, expect, test } from "bun:test";
import { command as ps } from "../commands/container/ls.ts";
import { command as rm } from "../commands/container/rm.ts";
import type { Group } from "./command-tree.ts";
import { commandHelp, groupHelp } from "./help.ts";

/** `docker rm --help` and `docker ps --help` of 28.2.2, with the program's name changed. */
const RM_HELP = `Usage:  berth rm [OPTIONS] CONTAINER [CONTAINER...]

Remove one or more containers

Aliases:
  berth container rm, berth container remove, berth rm

Options:
  -f, --force     Force the removal of a running container (uses SIGKILL)
  -l, --link      Remove the specified link
  -v, --volumes   Remove anonymous volumes associated with the container
`;

const PS_HELP = `Usage:  berth ps [OPTIONS]

List containers

Aliases:
  berth container ls, berth container list, berth container ps, berth ps

Options:
  -a, --all             Show all containers (default shows just running)
  -f, --filter filter   Filter output based on conditions provided
      --format string   Format output using a custom template:
                        'table':            Print output in table format
                        with column headers (default)
                        'table TEMPLATE':   Print output in table format
                        using the given Go template
                        'json':             Print in JSON format
                        'TEMPLATE':         Print output using the given
                        Go template.
                        Refer to https://docs.docker.com/go/formatting/
                        for more information about formatting output with
                        templates
  -n, --last int        Show n last created containers (includes all
                        states) (default -1)
  -l, --latest          Show the latest created container (includes all
                        states)
      --no-trunc        Don't truncate output
  -q, --quiet           Only display container IDs
  -s, --size            Display total file sizes
`;

describe("commandHelp()", () => {
  test("prints docker's help of rm", () => expect(commandHelp("berth", "berth rm", rm, 80)).toBe(RM_HELP));
  test("wraps docker's help of ps as pflag does", () => expect(commandHelp("berth", "berth ps", ps, 80)).toBe(PS_HELP));
});

const unused = (): Promise<never> => Promise.reject(new Error("not to be loaded"));

describe("groupHelp()", () => {
  test("lists the commands of a group", () => {
    const group: Group = {
      name: "builder",
      about: "Manage builds",
      commands: [
        { name: "build", about: "Build an image from a Dockerfile", load: unused },
        { name: "inner", about: "Not listed", hidden: true, commands: [] },
        { name: "prune", about: "Remove build cache", load: unused },
      ],
    };
    expect(groupHelp("berth builder", group)).toBe(`Usage:  berth builder COMMAND

Manage builds

Commands:
  build       Build an image from a Dockerfile
  prune       Remove build cache

Run 'berth builder COMMAND --help' for more information on a command.
`);
  });
});
