/** Calls that need no container of a certain state: filters, prunes, networks, bad parameters. Their answers are compared, and what happened. */
import { request } from "node:http";

/** The newest version that both engines speak. */
const VERSION = "v1.45";

/** In this order: later ones see what earlier ones have made. `METHOD PATH`, with `filters` as JSON. */
const CALLS: readonly (readonly [call: string, body?: unknown])[] = [
  [
    "POST /networks/create",
    { Name: "called", Labels: { a: "b" }, IPAM: { Config: [{ Subnet: "10.97.3.0/24", Gateway: "10.97.3.1" }] } },
  ],
  [
    "POST /networks/create",
    { Name: "noted", Options: { "com.docker.network.x": "1", "com.docker.network.bridge.y": "2" } },
  ],
  [
    "POST /networks/create",
    { Name: "six", IPAM: { Config: [{ Subnet: "10.97.4.0/24", Gateway: "10.97.4.1" }, { Subnet: "fd00:97::/64" }] } },
  ],
  ["GET /networks/called"],
  ["GET /networks/noted"],
  ["GET /networks/six"],
  ["GET /networks/host"],
  ["GET /networks/called?verbose=odd"],
  ["GET /networks?filters=null"],
  ...["^call", "^cal$", "al", "[", ""].map((name): [string] => [
    `GET /networks?filters=${JSON.stringify({ name: [name] })}`,
  ]),
  ['GET /networks?filters={"name":{"^called$":false}}'],
  ['GET /networks?filters={"name":null,"driver":["bridge"],"label":["a=b"]}'],
  ['GET /networks?filters={"dangling":["true","false"]}'],
  ['GET /networks?filters={"dangling":["odd"]}'],
  ["POST /volumes/create", { Name: "called", Labels: { a: "b" } }],
  ["POST /volumes/create"],
  ...["^call", "^cal$", "al", "["].map((name): [string] => [
    `GET /volumes?filters=${JSON.stringify({ name: [name] })}`,
  ]),
  ...[["TRUE"], []].map((dangling): [string] => [`GET /volumes?filters=${JSON.stringify({ dangling })}`]),
  ...[["TRUE"], []].map((dangling): [string] => [`GET /images/json?filters=${JSON.stringify({ dangling })}`]),
  [
    "POST /containers/create?name=called-one",
    {
      Image: "busybox",
      Cmd: ["true"],
      Entrypoint: [],
      HostConfig: { PidsLimit: -1, Mounts: [{ Type: "tmpfs", Target: "/t" }], Tmpfs: { "/u": "" } },
    },
  ],
  ["POST /containers/create?name=called-two", { Image: "busybox", MacAddress: "02:00:00:00:00:07" }],
  ["GET /containers/called-one/json"],
  ["POST /networks/called/connect", { Container: "called-one" }],
  ["POST /networks/called/connect", { Container: "called-two", EndpointConfig: { DriverOpts: { note: "1" } } }],
  ...["^/called-one$", "^called", "one", "["].map((name): [string] => [
    `GET /containers/json?all=1&filters=${JSON.stringify({ name: [name] })}`,
  ]),
  ["POST /containers/none/wait?condition=odd"],
  ["POST /containers/none/rename"],
  ["GET /containers/none/logs"],
  ["POST /containers/none/exec", {}],
  ["POST /containers/none/update", { Memory: 1 }],
  ["POST /commit?container=none&repo=Not%20good"],
  ["POST /containers/called-one/update"],
  ["POST /networks/called/connect"],
  ["DELETE /containers/called-one"],
  ["DELETE /containers/called-two"],
  ["DELETE /networks/noted"],
  ['POST /containers/prune?filters={"label":["none"]}'],
  ['POST /volumes/prune?filters={"label":["none"]}'],
  ['POST /networks/prune?filters={"label":["none"]}'],
  ['POST /images/prune?filters={"label":["none"]}'],
  ['POST /build/prune?filters={"id":["none"]}'],
  ["DELETE /networks/called"],
  ["DELETE /networks/six"],
  ["DELETE /volumes/called"],
];

/** Takes all calls on the engine behind `socket`, which has the image `busybox`. From the call to what came; at the end what the engine told of it. */
export async function walkCalls(socket: string): Promise<Record<string, string>> {
  const begin = (Date.now() / 1000).toFixed(3);
  const results: Record<string, string> = {};
  for (const [call, body] of CALLS) {
    const { status, text } = await ask(socket, call, body);
    results[`${call}${body === undefined ? "" : ` ${JSON.stringify(body)}`}`] =
      `${status} ${shown(call, status, text)}`;
  }
  // A moment ahead: it ends when what has happened is told for sure.
  const end = ((Date.now() + 300) / 1000).toFixed(3);
  const { text } = await ask(socket, `GET /events?since=${begin}&until=${end}`, undefined);
  results["GET /events"] = text.split("\n").filter(Boolean).map(eventText).join("\n");
  return results;
}

/** What counts of an answer: messages whole, of things what the calls are about. */
function shown(call: string, status: number, text: string): string {
  if (status >= 400) return text.trim();
  const value = text === "" ? undefined : JSON.parse(text);
  // Where a subnet was chosen it is another one each time.
  if (call === "GET /networks/noted") return JSON.stringify(sorted(value.Options));
  if (call.startsWith("GET /networks/")) return JSON.stringify([value.IPAM, sorted(value.Options), value.EnableIPv6]);
  if (call.includes("/json") && !Array.isArray(value)) {
    const { Path, Args, Mounts, Config, HostConfig } = value;
    return JSON.stringify([Path, Args, Mounts, Config.Entrypoint, HostConfig.PidsLimit, HostConfig.PortBindings]);
  }
  const list = Array.isArray(value) ? value : value?.Volumes;
  if (!list) return withoutIds(call.includes("/volumes/create") ? value.Driver : text).trim();
  return JSON.stringify(
    list.map((one: { Name?: string; Names?: string }) => withoutIds(String(one.Names ?? one.Name))).sort(),
  );
}

/** Nor how much was freed, which each engine counts its own way. */
function withoutIds(text: string): string {
  return text.replaceAll(/[0-9a-f]{64}/g, "<id>").replaceAll(/("(?:SpaceR|r)eclaimed":"?)\d+/g, "$1<bytes>");
}

function eventText(line: string): string {
  const { time: _, timeNano: __, ...event } = JSON.parse(line);
  return withoutIds(JSON.stringify(sorted(event)));
}

function sorted(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, one]) => [name, typeof one === "object" ? sorted(one) : one]),
  );
}

function ask(
  socketPath: string,
  call: string,
  body: unknown,
): Promise<{ readonly status: number; readonly text: string }> {
  const [method = "", path = ""] = call.split(/ (.*)/s);
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path: encodeURI(`/${VERSION}${path}`).replaceAll("%25", "%"), agent: false, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
        );
      },
    );
    outgoing.once("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
