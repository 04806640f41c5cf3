export const LOG_LEVELS = ["debug", "info", "warn", "error", "fatal"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFormat = "text" | "json";

/** The engine's own log: one line per event on stderr, in one of dockerd's formats. Secrets never reach it. */
export class Logger {
  #threshold: number;
  readonly #format: LogFormat;
  readonly #write: (line: string) => void;

  constructor(level: LogLevel, write: (line: string) => void, format: LogFormat = "text") {
    this.#threshold = LOG_LEVELS.indexOf(level);
    this.#format = format;
    this.#write = write;
  }

  /** From which level on lines are written. */
  set level(level: LogLevel) {
    this.#threshold = LOG_LEVELS.indexOf(level);
  }

  debug(message: string): void {
    this.#log("debug", message);
  }

  info(message: string): void {
    this.#log("info", message);
  }

  warn(message: string): void {
    this.#log("warn", message);
  }

  error(message: string): void {
    this.#log("error", message);
  }

  #log(level: LogLevel, message: string): void {
    if (LOG_LEVELS.indexOf(level) < this.#threshold) return;
    const time = new Date().toISOString();
    this.#write(
      this.#format === "json"
        ? `${JSON.stringify({ level, msg: message, time })}\n`
        : `time="${time}" level=${level} msg=${JSON.stringify(message)}\n`,
    );
  }
}
