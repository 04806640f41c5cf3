/** The standard streams as commands see them. Tests give commands streams of their own. */
export interface Output {
  /** Resolves when the text is written: who waits cannot run ahead of a slow reader. Throws ReaderGoneError. */
  write(data: string | Uint8Array): Promise<void>;
  readonly isTerminal: boolean;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface Streams {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly stdin: Input;
  /** Of stdout, or else of stderr. Undefined when neither is a terminal. */
  terminalSize(): TerminalSize | undefined;
}

export interface Input {
  readonly isTerminal: boolean;
  /** All bytes until the end of the input or until the loop is left. */
  bytes(): AsyncIterable<Uint8Array>;
  /** Keys come one by one, unechoed, and Ctrl-C is a byte. Returns what restores the terminal. */
  setRaw(): () => void;
}
