import type { RequestedOutput } from "#engine/builds/outputs/build-output.ts";
import type { OutputSink } from "#engine/builds/outputs/deliver.ts";
import { tarText } from "#formats/tar/tar-entry.ts";
import { readTar } from "#formats/tar/tar-reader.ts";
import { sendDirectory } from "../files/send-directory.ts";
import { sendFile } from "../files/send-file.ts";
import { clientBlobs } from "../session/client-content.ts";
import type { Session } from "../session/session.ts";

/** The client's name for the layout that it makes of an output. */
const EXPORT_STORE = "export";

/** Takes outputs to a session's client, each to the place that it keeps for the output of that number. */
export function sessionSink(session: Session, outputs: readonly RequestedOutput[], signal: AbortSignal): OutputSink {
  return {
    send: (index, bytes) =>
      outputs[index]?.attrs["tar"] === "false"
        ? sendBlobs(session, bytes, signal)
        : sendFile(session, bytes, { index, signal }),
    sendFiles: (index, open) => sendDirectory(session, open, { index, signal }),
  };
}

/** An archive that is an OCI layout, blob by blob: the client writes the index itself, by the descriptor in the solve's answer. */
async function sendBlobs(session: Session, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const blobs = clientBlobs(session, EXPORT_STORE);
  for await (const { entry, body } of readTar(archive)) {
    const path = tarText(entry.path);
    if (entry.type === "file" && path.startsWith("blobs/")) await blobs.write(body, path, signal);
  }
}
