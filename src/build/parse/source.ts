/** Lines of the Dockerfile, 1-based and inclusive; heredoc bodies belong to their instruction. */
export interface SourceRange {
  readonly startLine: number;
  readonly endLine: number;
}

/** Continues lines and escapes characters. `# escape=` chooses. */
export type EscapeCharacter = "\\" | "`";
