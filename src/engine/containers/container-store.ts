import { isDiskFull } from "#errors/disk-full.ts";
import { ConflictError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Database } from "#store/database.ts";
import type { ContainerRecord, ContainerState } from "./container-record.ts";
import { readContainerRecord } from "./read-container-record.ts";

/** What a container that is being made has already, or is to have: nobody else gets its name, and nothing that it needs goes. */
export interface PendingNeeds {
  readonly images: ReadonlySet<Digest>;
  /** Names of volumes. */
  readonly volumes: ReadonlySet<string>;
}

/** A container that is being made. */
export interface PendingContainer extends PendingNeeds, Disposable {
  readonly id: string;
  /** Throws ConflictError, in Docker's words, when another container has the name, or will. */
  takeName(name: string): void;
  needsImage(image: Digest): void;
  needsVolume(name: string): void;
}

/** The containers of one engine: in memory for look-up, in the database before any change is told. */
export class ContainerStore {
  readonly #database: Database;
  readonly #byId = new Map<string, ContainerRecord>();
  readonly #idByName = new Map<string, string>();
  readonly #pending = new Map<string, PendingNeeds>();
  /** Names of containers that are being made. */
  readonly #reserved = new Map<string, string>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.statement("SELECT record FROM containers ORDER BY created, rowid").all()) {
      this.#remember(readContainerRecord(String(row["record"])));
    }
  }

  /** Notes a container that is being made, until it is added or the note is disposed. */
  begin(id: string): PendingContainer {
    const needs = { images: new Set<Digest>(), volumes: new Set<string>() };
    this.#pending.set(id, needs);
    let reserved = "";
    return {
      id,
      ...needs,
      takeName: (name) => {
        this.#checkFree(name);
        this.#reserved.set(name, id);
        reserved = name;
      },
      needsImage: (image) => void needs.images.add(image),
      needsVolume: (name) => void needs.volumes.add(name),
      [Symbol.dispose]: () => {
        this.#pending.delete(id);
        if (this.#reserved.get(reserved) === id) this.#reserved.delete(reserved);
      },
    };
  }

  /** What the containers that are being made need, by their ids. */
  pending(): ReadonlyMap<string, PendingNeeds> {
    return this.#pending;
  }

  /** Adds a container, whose name was taken for it, and does what `alongside` writes in the same transaction. */
  add(record: ContainerRecord, alongside: () => void = () => undefined): void {
    this.#database.transaction(() => {
      this.#database
        .statement("INSERT INTO containers (id, name, image_id, created, record) VALUES (?, ?, ?, ?, ?)")
        .run(record.id, record.name, record.imageId, record.created, JSON.stringify(record));
      alongside();
    });
    this.#remember(record);
  }

  /** Replaces a container's record, durably. Throws NotFoundError when it is gone. */
  update(id: string, change: (record: ContainerRecord) => ContainerRecord): ContainerRecord {
    const before = this.get(id);
    const after = change(before);
    this.#database
      .statement("UPDATE containers SET name = ?, record = ? WHERE id = ?")
      .run(after.name, JSON.stringify(after), id);
    this.#idByName.delete(before.name);
    this.#remember(after);
    return after;
  }

  /**
   * As `update`, but with no room on the disk in memory only. For what has happened, whether it can be written down or not: a container that
   * ended must not count as running because of that. The next engine learns it anew.
   */
  record(id: string, change: (record: ContainerRecord) => ContainerRecord): ContainerRecord {
    try {
      return this.update(id, change);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      const after = change(this.get(id));
      this.#byId.set(id, after);
      return after;
    }
  }

  updateState(id: string, change: Partial<ContainerState>): ContainerRecord {
    return this.update(id, (record) => ({ ...record, state: { ...record.state, ...change } }));
  }

  /** Changes a state that a restart of the engine learns anew anyway (`removing`): memory only, no write. */
  markInMemory(id: string, change: Partial<ContainerState>): ContainerRecord {
    const record = this.get(id);
    const after = { ...record, state: { ...record.state, ...change } };
    this.#byId.set(id, after);
    return after;
  }

  rename(id: string, name: string): ContainerRecord {
    this.#checkFree(name);
    return this.update(id, (record) => ({ ...record, name }));
  }

  remove(id: string): void {
    const record = this.#byId.get(id);
    if (!record) return;
    this.#database.statement("DELETE FROM containers WHERE id = ?").run(id);
    this.#byId.delete(id);
    this.#idByName.delete(record.name);
  }

  /** By full id. Throws NotFoundError. */
  get(id: string): ContainerRecord {
    const record = this.#byId.get(id);
    if (!record) throw new NotFoundError(`No such container: ${id}`);
    return record;
  }

  find(id: string): ContainerRecord | undefined {
    return this.#byId.get(id);
  }

  /** As `lookup`. Throws NotFoundError, in Docker's words, when there is none, and InvalidParameterError for "", which names nothing. */
  resolve(nameOrId: string): ContainerRecord {
    if (nameOrId === "") throw new InvalidParameterError('invalid name or ID supplied: ""');
    const found = this.lookup(nameOrId);
    if (!found) throw new NotFoundError(`No such container: ${nameOrId}`);
    return found;
  }

  /**
   * By full id, name (with or without slash) or unique id prefix, in that order, as Docker does. Throws InvalidParameterError for a prefix of
   * several ids.
   */
  lookup(nameOrId: string): ContainerRecord | undefined {
    const exact = this.#byId.get(nameOrId) ?? this.#byName(nameOrId.replace(/^\//, ""));
    if (exact) return exact;
    const matches = /^[0-9a-f]+$/.test(nameOrId)
      ? [...this.#byId.values()].filter((record) => record.id.startsWith(nameOrId))
      : [];
    if (matches.length > 1) throw new InvalidParameterError(`Multiple IDs found with provided prefix: ${nameOrId}`);
    return matches[0];
  }

  /** Whether a container has the name, or will. */
  hasName(name: string): boolean {
    return this.#holder(name) !== undefined;
  }

  list(): readonly ContainerRecord[] {
    return [...this.#byId.values()];
  }

  #holder(name: string): string | undefined {
    return this.#idByName.get(name) ?? this.#reserved.get(name);
  }

  #checkFree(name: string): void {
    const holder = this.#holder(name);
    if (holder !== undefined) throw nameTaken(name, holder);
  }

  #byName(name: string): ContainerRecord | undefined {
    const id = this.#idByName.get(name);
    return id ? this.#byId.get(id) : undefined;
  }

  #remember(record: ContainerRecord): void {
    this.#byId.set(record.id, record);
    this.#idByName.set(record.name, record.id);
  }
}

function nameTaken(name: string, holder: string): ConflictError {
  return new ConflictError(
    `Conflict. The container name "/${name}" is already in use by container "${holder}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}
