import { type Decoder, flag, object, text, textList } from "#lib/json-decoder.ts";
import type { ExecCreateRequest, ExecStartRequest } from "#spec/docker-exec.ts";
import { consoleSize } from "./host-config.ts";

/** The body of `POST /containers/{id}/exec`. */
export const decodeExecCreate: Decoder<ExecCreateRequest> = object<ExecCreateRequest>(
  {
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    Tty: flag,
    Cmd: textList,
    Env: textList,
    User: text,
    WorkingDir: text,
    Privileged: flag,
    DetachKeys: text,
    ConsoleSize: consoleSize,
  },
  { Cmd: [] },
);

/** The body of `POST /exec/{id}/start`. */
export const decodeExecStart: Decoder<ExecStartRequest> = object<ExecStartRequest>(
  { Detach: flag, Tty: flag, ConsoleSize: consoleSize },
  {},
);
