import { readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { Engine } from "#engine/engine.ts";
import { BERTH_COMMIT, BERTH_VERSION } from "#engine/version.ts";
import { kernelArchitecture } from "#server/views/system-view.ts";
import { listenAt } from "./listen.ts";
import type { ListenAddress } from "./options/hosts.ts";

/** A measure with its values by label; `{}` for one without. */
interface Metric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly values: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

/**
 * Serves `/metrics` for Prometheus, with the names of dockerd's that say something here. Disposing closes it. Throws SystemError when the port is taken.
 * https://docs.docker.com/engine/daemon/prometheus/
 */
export async function serveMetrics(engine: Engine, address: ListenAddress): Promise<AsyncDisposable> {
  let events = 0;
  const counting = engine.events.on(() => events++);
  const server = createServer((request, response) => {
    if (request.url?.split("?")[0] !== "/metrics") return void response.writeHead(404).end("404 page not found\n");
    response.writeHead(200, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
    response.end(renderMetrics(engineMetrics(engine, events)));
  });
  await listenAt(server, address);
  return {
    [Symbol.asyncDispose]: async () => {
      counting[Symbol.dispose]();
      await closed(server);
    },
  };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function engineMetrics(engine: Engine, events: number): readonly Metric[] {
  const { information: host, containers } = engine;
  const phases = containers.containers.list().map(({ state }) => state.phase);
  const running = phases.filter((phase) => phase === "running" || phase === "restarting").length;
  const paused = phases.filter((phase) => phase === "paused").length;
  const info = {
    architecture: kernelArchitecture(host.architecture),
    commit: BERTH_COMMIT,
    daemon_id: host.id,
    graphdriver: containers.snapshotter.name,
    kernel: host.kernelVersion,
    os: host.operatingSystem,
    os_type: "linux",
    os_version: host.operatingSystemVersion,
    version: BERTH_VERSION,
  };
  const gauge = (name: string, help: string, values: Metric["values"]): Metric => ({
    name,
    type: "gauge",
    help,
    values,
  });
  return [
    gauge("engine_daemon_container_states_containers", "The count of containers in various states", [
      [{ state: "paused" }, paused],
      [{ state: "running" }, running],
      [{ state: "stopped" }, phases.length - running - paused],
    ]),
    gauge("engine_daemon_engine_cpus_cpus", "The number of cpus that the host system of the engine has", [
      [{}, host.cpus],
    ]),
    gauge("engine_daemon_engine_info", "The information related to the engine and the OS it is running on", [
      [info, 1],
    ]),
    gauge("engine_daemon_engine_memory_bytes", "The number of bytes of memory that the host system of the engine has", [
      [{}, host.memory],
    ]),
    {
      name: "engine_daemon_events_total",
      type: "counter",
      help: "The number of events logged",
      values: [[{}, events]],
    },
    gauge("process_open_fds", "Number of open file descriptors.", [[{}, readdirSync("/proc/self/fd").length]]),
    gauge("process_resident_memory_bytes", "Resident memory size in bytes.", [[{}, process.memoryUsage.rss()]]),
    gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds.", [
      [{}, Math.round(Date.now() / 1000 - process.uptime())],
    ]),
  ];
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, type, help, values }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...values.map(([labels, value]) => `${name}${renderLabels(labels)} ${value}`),
        "",
      ].join("\n"),
    )
    .join("");
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}
