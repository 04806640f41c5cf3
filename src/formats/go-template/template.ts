/** Go's text/template, as docker's `--format` takes it. */
import { execute } from "./exec.ts";
import { FUNCTIONS, type TemplateFunctions } from "./functions.ts";
import { parse, type Trees } from "./parser.ts";

export interface TemplateOptions {
  /** More functions, or others for names that exist. */
  readonly functions?: TemplateFunctions;
  /** A missing key of a map is an error, not `<no value>`. */
  readonly missingKeyIsError?: boolean;
}

/** A parsed template. */
export class Template {
  readonly #source: string;
  readonly #trees: Trees;
  readonly #functions: TemplateFunctions;
  readonly #missingKeyIsError: boolean;

  /** Throws TemplateError: `template: :1: unclosed action`. */
  constructor(source: string, options: TemplateOptions = {}) {
    this.#source = source;
    this.#functions = { ...FUNCTIONS, ...options.functions };
    this.#missingKeyIsError = options.missingKeyIsError ?? false;
    this.#trees = parse(source, new Set(Object.keys(this.#functions)));
  }

  /** The text for `data`; see values.ts for what objects mean. Throws TemplateError. */
  execute(data: unknown, options: TemplateOptions = {}): string {
    return execute(this.#source, this.#trees, data, {
      functions: options.functions ? { ...this.#functions, ...options.functions } : this.#functions,
      missingKeyIsError: options.missingKeyIsError ?? this.#missingKeyIsError,
    });
  }
}
