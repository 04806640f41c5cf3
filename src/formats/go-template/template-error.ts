import { InvalidParameterError } from "#errors/errors.ts";

/** A template is malformed or does not fit its data. The message is Go's. */
export class TemplateError extends InvalidParameterError {}
