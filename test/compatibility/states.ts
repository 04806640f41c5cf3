/** Every call that concerns one container, on a container in each of its states. */
import { request } from "node:http";

/** The newest version that both engines speak. */
const VERSION = "v1.45";
/** Milliseconds after which an answer that waits for something counts as none. */
const PATIENCE = 2000;

export const STATES = ["created", "running", "paused", "restarting", "exited"] as const;
export type State = (typeof STATES)[number];

/** How many containers are walked at once. One that restarts has to be waited for, for seconds. */
const LANES: Readonly<Partial<Record<State, number>>> = { restarting: 4 };

/** `METHOD PATH`, where ID and NAME stand for the container's; what is sent; and what of a successful answer is compared. */
export interface StateCall {
  readonly call: string;
  readonly body?: unknown;
  /** "text": all of it; "type": that there is one. Default "text". */
  readonly compare?: "text" | "type";
}

const TAR = Buffer.alloc(1024);
const NO_TAR = Buffer.alloc(5000, "x");
const LIVED = ["sh", "-c", "trap 'exit 5' TERM; echo hello; sleep 1000 & wait"];
const FAILING = ["sh", "-c", "exit 3"];

const CALLS: readonly StateCall[] = [
  { call: "GET /containers/ID/json" },
  { call: "POST /containers/ID/start" },
  { call: "POST /containers/ID/start", body: { HostConfig: {} } },
  { call: "POST /containers/ID/stop?t=0" },
  { call: "POST /containers/ID/stop?signal=NOPE" },
  { call: "POST /containers/ID/restart?t=0" },
  { call: "POST /containers/ID/kill" },
  { call: "POST /containers/ID/kill?signal=WINCH" },
  { call: "POST /containers/ID/kill?signal=NOPE" },
  { call: "POST /containers/ID/pause" },
  { call: "POST /containers/ID/unpause" },
  { call: "POST /containers/ID/rename?name=NAME-new" },
  { call: "POST /containers/ID/rename?name=NAME" },
  { call: "POST /containers/ID/rename?name=" },
  { call: "POST /containers/ID/rename?name=a%20b" },
  { call: "DELETE /containers/ID" },
  { call: "DELETE /containers/ID?force=1" },
  { call: "DELETE /containers/ID?link=1" },
  { call: "POST /containers/ID/exec", body: { Cmd: ["true"] }, compare: "type" },
  { call: "POST /containers/ID/exec", body: {} },
  { call: "POST /containers/ID/attach?stdout=1" },
  { call: "POST /containers/ID/attach?detachKeys=odd" },
  { call: "GET /containers/ID/attach/ws" },
  { call: "GET /containers/ID/logs?stdout=1", compare: "type" },
  { call: "GET /containers/ID/logs" },
  { call: "GET /containers/ID/top", compare: "type" },
  { call: "GET /containers/ID/top?ps_args=--nope" },
  { call: "GET /containers/ID/stats?stream=false&one-shot=true", compare: "type" },
  { call: "POST /containers/ID/wait" },
  { call: "POST /containers/ID/wait?condition=next-exit" },
  { call: "POST /containers/ID/wait?condition=nope" },
  { call: "POST /containers/ID/resize?h=10&w=20" },
  { call: "POST /containers/ID/update", body: { CpuShares: 512 } },
  { call: "POST /containers/ID/update", body: { Memory: 1000 } },
  { call: "POST /containers/ID/update", body: { RestartPolicy: { Name: "nope" } } },
  { call: "HEAD /containers/ID/archive?path=/etc/passwd" },
  { call: "HEAD /containers/ID/archive?path=/nope" },
  { call: "GET /containers/ID/archive?path=/etc", compare: "type" },
  { call: "GET /containers/ID/archive?path=/nope" },
  { call: "GET /containers/ID/archive" },
  { call: "PUT /containers/ID/archive?path=/tmp", body: TAR },
  { call: "PUT /containers/ID/archive?path=/nope", body: TAR },
  { call: "PUT /containers/ID/archive?path=/etc/passwd", body: TAR },
  { call: "PUT /containers/ID/archive?path=/tmp", body: NO_TAR },
  { call: "GET /containers/ID/export", compare: "type" },
  { call: "GET /containers/ID/changes" },
  { call: "POST /commit?container=ID&repo=walked", compare: "type" },
  { call: "POST /commit?container=ID&repo=Not%20good" },
  { call: "GET /containers/ID/checkpoints" },
];

/** What fails at once is in either state a moment after its start. */
function isPassing(state: State, call: string): boolean {
  return state === "restarting" && call.includes("/restart");
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

interface Container {
  readonly id: string;
  readonly name: string;
}

/** Walks all calls in all states on the engine behind `socket`, which has the image `busybox`. From "STATE CALL" to what came and the state after it. */
export async function walkStates(socket: string): Promise<Record<string, string>> {
  const walks = STATES.flatMap((state) => {
    const lanes = LANES[state] ?? 1;
    return Array.from({ length: lanes }, (_, lane) => {
      const calls = CALLS.filter((_, index) => index % lanes === lane);
      return new StateWalk(socket, state, `${state}-${lane}`).run(calls);
    });
  });
  return Object.assign({}, ...(await Promise.all(walks)));
}

class StateWalk {
  readonly #socket: string;
  readonly #state: State;
  readonly #name: string;
  #made = 0;

  constructor(socket: string, state: State, name: string) {
    this.#socket = socket;
    this.#state = state;
    this.#name = name;
  }

  async run(calls: readonly StateCall[]): Promise<Record<string, string>> {
    const results: Record<string, string> = {};
    let container: Container | undefined;
    for (const step of calls) {
      container ??= await this.#make();
      const { answer, after } = await this.#take(step, container);
      const { body } = step;
      const sent = body === undefined || Buffer.isBuffer(body) ? "" : ` ${JSON.stringify(body)}`;
      const shown = step.compare === "type" && answer.status < 300 ? answer.type : withoutNames(answer, container);
      results[`${this.#state} ${step.call}${sent}${body === NO_TAR ? " no tar" : ""}`] =
        `${answer.status} ${shown} → ${isPassing(this.#state, step.call) ? "runs and ends" : after}`;
      // What it was asked to be stays with it: the next call gets another one.
      const isChanged = answer.status < 300 && /rename|update/.test(step.call);
      if (after === this.#state && !isChanged) continue;
      await this.#ask(`DELETE /containers/${container.id}?force=1`);
      container = undefined;
    }
    if (container) await this.#ask(`DELETE /containers/${container.id}?force=1`);
    return results;
  }

  /** The answer to a call, and the state after it. */
  async #take({ call, body }: StateCall, container: Container): Promise<{ answer: Answer; after: string }> {
    for (;;) {
      const runs = this.#state === "restarting" ? await this.#untilItWaits(container.id) : 0;
      const answer = await this.#ask(placed(call, container), body);
      const { status = "gone", restarts = 0 } = (await this.#look(container.id)) ?? {};
      // It has run in between: who knows what it was when it was asked. The next pause is twice as long.
      const hasRun = restarts > runs || status === "running";
      const isUnsure = this.#state === "restarting" && hasRun && !isPassing(this.#state, call);
      if (!isUnsure) return { answer, after: status };
    }
  }

  async #make(): Promise<Container> {
    const state = this.#state;
    const name = `${this.#name}-${this.#made++}`;
    const policy = state === "restarting" ? { RestartPolicy: { Name: "always" } } : {};
    const body = {
      Image: "busybox",
      Cmd: state === "restarting" ? FAILING : LIVED,
      HostConfig: { NetworkMode: "none", ...policy },
    };
    const id = String(JSON.parse((await this.#ask(`POST /containers/create?name=${name}`, body)).text).Id);
    if (state !== "created") await this.#must(`POST /containers/${id}/start`);
    if (state !== "created" && state !== "restarting") await this.#untilItListens(id);
    if (state === "paused") await this.#must(`POST /containers/${id}/pause`);
    if (state === "exited") await this.#must(`POST /containers/${id}/stop?t=10`);
    return { id, name };
  }

  /** Until it has said hello: a signal before its trap is set would not reach it. */
  async #untilItListens(id: string): Promise<void> {
    while (!(await this.#ask(`GET /containers/${id}/logs?stdout=1`)).text.includes("hello")) await Bun.sleep(10);
  }

  /** Until the pauses between its runs are longer than a call takes. Returns how often it was restarted. */
  async #untilItWaits(id: string): Promise<number> {
    for (;;) {
      const { restarts, status } = (await this.#look(id)) ?? {};
      if (restarts !== undefined && restarts >= 5 && status === "restarting") return restarts;
      await Bun.sleep(50);
    }
  }

  async #must(call: string): Promise<void> {
    const { status, text } = await this.#ask(call);
    if (status >= 300) throw new Error(`${call}: ${status} ${text}`);
  }

  async #look(id: string): Promise<{ readonly status: string; readonly restarts: number } | undefined> {
    const { status, text } = await this.#ask(`GET /containers/${id}/json`);
    if (status !== 200) return undefined;
    const { State, RestartCount } = JSON.parse(text);
    return { status: State.Status, restarts: RestartCount };
  }

  #ask(call: string, body?: unknown): Promise<Answer> {
    const [method = "", path = ""] = call.split(" ");
    const isTar = Buffer.isBuffer(body);
    const headers = body === undefined ? {} : { "Content-Type": isTar ? "application/x-tar" : "application/json" };
    const timeout = path.includes("/wait") ? { signal: AbortSignal.timeout(PATIENCE) } : {};
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { socketPath: this.#socket, method, path: `/${VERSION}${path}`, agent: false, headers, ...timeout },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk) => chunks.push(chunk));
          response.on("error", () => resolve(NOTHING));
          response.on("end", () => {
            const type = response.headers["content-type"] ?? "";
            resolve({ status: response.statusCode ?? 0, type, text: Buffer.concat(chunks).toString("latin1") });
          });
        },
      );
      outgoing.once("error", (error) => (error.name === "AbortError" ? resolve(NOTHING) : reject(error)));
      outgoing.end(isTar ? body : body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

const NOTHING: Answer = { status: 0, type: "", text: "no answer yet" };

function placed(call: string, { id, name }: Container): string {
  return call.replace("ID", id).replace("NAME", name);
}

/** The text of an answer without what differs from walk to walk; of an inspect, the state alone. */
function withoutNames({ text, status }: Answer, { id, name }: Container): string {
  const state = status === 200 && text.startsWith('{"Id":') ? stateText(text) : text;
  return state
    .replaceAll(id, "<id>")
    .replaceAll(name, "<name>")
    .replaceAll(/[0-9a-f]{64}/g, "<hex>")
    .trim();
}

function stateText(text: string): string {
  const { State } = JSON.parse(text);
  const isSet = (time: string): string => (time.startsWith("0001") ? time : "<time>");
  return JSON.stringify({
    ...State,
    Pid: State.Pid > 0 ? "<pid>" : 0,
    StartedAt: isSet(State.StartedAt),
    FinishedAt: isSet(State.FinishedAt),
  });
}
