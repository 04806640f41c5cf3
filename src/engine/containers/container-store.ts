import { isDiskFull } from "#errors/disk-full.ts";
import { ConflictError, InvalidParameterError, NotFoundError } from "#errors/errors.ts";
import type { Digest } from "#spec/digest.ts";
import type { Database } from "#store/database.ts";
import type { ContainerRecord, ContainerState } from "./container-record.ts";
import { readContainerRecord } from "./read-container-record.ts";

/** A container that is being made. */
export interface PendingContainer extends Disposable {
  readonly id: string;
  /** Those that it was said to need. */
  readonly images: ReadonlySet<Digest>;
  needs(image: Digest): void;
}

/** The containers of one engine: in memory for look-up, in the database before any change is told. */
export class ContainerStore {
  readonly #database: Database;
  readonly #byId = new Map<string, ContainerRecord>();
  readonly #idByName = new Map<string, string>();
  readonly #pending = new Map<string, ReadonlySet<Digest>>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.statement("SELECT record FROM containers").all()) {
      this.#remember(readContainerRecord(String(row["record"])));
    }
  }

  /**
   * Notes a container that is being made, until it is added or the note is disposed. Images that it is said to need are kept like those of
   * a container that is there.
   */
  begin(id: string): PendingContainer {
    const images = new Set<Digest>();
    this.#pending.set(id, images);
    return {
      id,
      images,
      needs: (image) => void images.add(image),
      [Symbol.dispose]: () => void this.#pending.delete(id),
    };
  }

  /** The containers that are being made, and the images that they need. */
  pending(): ReadonlyMap<string, ReadonlySet<Digest>> {
    return this.#pending;
  }

  /** Adds a container, and does what `alongside` writes in the same transaction. Throws ConflictError, in Docker's words, when the name is taken. */
  add(record: ContainerRecord, alongside: () => void = () => undefined): void {
    const holder = this.#idByName.get(record.name);
    if (holder) throw nameTaken(record.name, holder);
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
    const holder = this.#idByName.get(name);
    if (holder) throw nameTaken(name, holder);
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

  hasName(name: string): boolean {
    return this.#idByName.has(name);
  }

  list(): readonly ContainerRecord[] {
    return [...this.#byId.values()];
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
