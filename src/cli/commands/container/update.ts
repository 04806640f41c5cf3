import { updateContainer } from "#client/container-lifecycle.ts";
import type { UpdateRequest } from "#spec/docker-update.ts";
import { atLeast } from "../../grammar/argument-rule.ts";
import { type Command, defineCommand, type Invocation } from "../../grammar/command.ts";
import { integerFlag, stringFlag } from "../../grammar/flag.ts";
import { CONTAINER_FLAGS } from "../../run/container-flags.ts";
import { parseRestartPolicy } from "../../run/create-request.ts";
import { bytesFlag, memorySwapFlag } from "../../run/size-flags.ts";
import { runForEach } from "../../run-for-each.ts";
import { StatusError } from "../../status-error.ts";

const FLAGS = {
  "blkio-weight": integerFlag("Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)", {
    type: "uint16",
  }),
  "cpu-period": CONTAINER_FLAGS["cpu-period"],
  "cpu-quota": CONTAINER_FLAGS["cpu-quota"],
  "cpu-rt-period": integerFlag("Limit the CPU real-time period in microseconds"),
  "cpu-rt-runtime": integerFlag("Limit the CPU real-time runtime in microseconds"),
  "cpu-shares": CONTAINER_FLAGS["cpu-shares"],
  cpus: CONTAINER_FLAGS.cpus,
  "cpuset-cpus": CONTAINER_FLAGS["cpuset-cpus"],
  "cpuset-mems": CONTAINER_FLAGS["cpuset-mems"],
  memory: bytesFlag("Memory limit", { short: "m" }),
  "memory-reservation": bytesFlag("Memory soft limit"),
  "memory-swap": memorySwapFlag("Swap limit equal to memory plus swap: -1 to enable unlimited swap"),
  "pids-limit": integerFlag("Tune container pids limit (set -1 for unlimited)"),
  restart: stringFlag("Restart policy to apply when a container exits"),
};

export const command: Command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  about: "Update configuration of one or more containers",
  spellings: ["container update", "update"],
  arguments: atLeast(1),
  flags: FLAGS,
  async run(invocation, context) {
    const { given, args } = invocation;
    if (given.size === 0) throw new StatusError(1, "you must provide one or more flags when using this command");
    const request = requestOf(invocation);
    return runForEach(args, context, async (name) => {
      const { Warnings } = await updateContainer(context.engine, name, request);
      for (const warning of Warnings ?? []) await context.streams.stderr.write(`${warning}\n`);
      return name;
    });
  },
});

function requestOf({ flags, given }: Invocation<typeof FLAGS>): UpdateRequest {
  return {
    BlkioWeight: flags["blkio-weight"],
    CpuShares: flags["cpu-shares"],
    CpuPeriod: flags["cpu-period"],
    CpuQuota: flags["cpu-quota"],
    CpuRealtimePeriod: flags["cpu-rt-period"],
    CpuRealtimeRuntime: flags["cpu-rt-runtime"],
    NanoCpus: flags.cpus,
    CpusetCpus: flags["cpuset-cpus"],
    CpusetMems: flags["cpuset-mems"],
    Memory: flags.memory,
    MemoryReservation: flags["memory-reservation"],
    MemorySwap: flags["memory-swap"],
    ...(given.has("pids-limit") ? { PidsLimit: flags["pids-limit"] } : {}),
    ...(flags.restart ? { RestartPolicy: parseRestartPolicy(flags.restart) } : {}),
  };
}
