import type { Database } from "#store/database.ts";
import type { VolumeRecords } from "#volume/local-volumes.ts";
import type { Volume } from "#volume/volume-store.ts";

/** Keeps the volumes' records in the metadata database: `volume` may not know `store`. */
export function volumeRecords(database: Database): VolumeRecords {
  return {
    load: (): Volume[] =>
      database
        .statement("SELECT record FROM volumes")
        .all()
        .map((row) => JSON.parse(String(row["record"]))),
    save: (volume): void => {
      database
        .statement(
          "INSERT INTO volumes (name, record) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record",
        )
        .run(volume.name, JSON.stringify(volume));
    },
    delete: (name): void => {
      database.statement("DELETE FROM volumes WHERE name = ?").run(name);
    },
  };
}
