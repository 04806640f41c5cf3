/** What works by one kind of records. */
export interface RecordServer {
  /** Takes up a record, which replaces the one before under its id. Resolves with its serial. Rejects, holding nothing of it, when it cannot. */
  take(id: string, record: unknown): Promise<string>;
  /** Lets go of a record. Idempotent. */
  drop(id: string): void;
}
