import { randomBytes } from "node:crypto";
import { deleteGroup, deleteLink, type Link, setGroup } from "../rtnetlink/link-message.ts";
import { RouteSocket } from "../rtnetlink/route-socket.ts";

/** An interface of this host by its name. */
export async function findLink(name: string): Promise<Link | undefined> {
  using socket = new RouteSocket();
  return socket.findLink(name);
}

/** Whether this host has a network interface of that name. */
export async function linkExists(name: string): Promise<boolean> {
  using socket = new RouteSocket();
  return (await socket.findLink(name)) !== undefined;
}

/** Deletes an interface of the namespace `path`. Idempotent. */
export async function deleteInterfaceIn(path: string, name: string): Promise<void> {
  using socket = new RouteSocket(path);
  await socket.remove(deleteLink(name));
}

/** Of this engine alone: interfaces that are about to go. */
const LEAVING = randomBytes(4).readUInt32LE();

/** Those that go next, and their turn. */
let leaving: { readonly names: Set<string>; readonly gone: Promise<void> } | undefined;
let current: Promise<unknown> = Promise.resolve();

/**
 * Deletes an interface of this host, and with it the other end of a veth pair. Idempotent. The kernel takes tens of milliseconds for one as for a hundred
 * (it waits until every CPU has stopped using them) and keeps all other changes of interfaces waiting meanwhile: those that are to go while
 * one goes are deleted together.
 */
export function deleteInterface(name: string): Promise<void> {
  if (!leaving) {
    const names = new Set<string>();
    const gone = current.then(() => {
      leaving = undefined;
      return deleteTogether([...names]);
    });
    current = gone.catch(() => undefined);
    leaving = { names, gone };
  }
  leaving.names.add(name);
  return leaving.gone;
}

async function deleteTogether(names: readonly string[]): Promise<void> {
  using socket = new RouteSocket();
  const [only] = names;
  if (names.length === 1 && only !== undefined) await socket.remove(deleteLink(only));
  else await socket.remove(...names.map((name) => setGroup(name, LEAVING)), deleteGroup(LEAVING));
}
