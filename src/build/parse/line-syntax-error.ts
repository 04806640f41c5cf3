import { InvalidParameterError } from "#errors/errors.ts";

/** A fault that BuildKit finds when it takes lines apart, before it knows instructions: its message names no line. */
export class LineSyntaxError extends InvalidParameterError {}
