import { InvalidParameterError } from "#errors/errors.ts";

/** A template is malformed or does not fit its data. The message is Go's. */
export class TemplateError extends InvalidParameterError {}

/** A template failed while it ran. */
export class ExecutionError extends TemplateError {
  /** What it had made up to there. */
  readonly text: string;

  constructor(message: string, text: string, options?: ErrorOptions) {
    super(message, options);
    this.text = text;
  }
}
