/** Go's text/template, as docker's `--format` takes it. */
import { execute } from "./exec.ts";
import { FUNCTIONS, type TemplateFunctions } from "./functions.ts";
import { parse, type Trees } from "./parser.ts";
import { TemplateError } from "./template-error.ts";

export interface TemplateOptions {
  /** More functions, or others for names that exist. */
  readonly functions?: TemplateFunctions;
  /** A missing key of a map is an error, not `<no value>`. */
  readonly missingKeyIsError?: boolean;
  /** The template's, for messages. */
  readonly name?: string;
}

/** A parsed template. */
export class Template {
  readonly #source: string;
  readonly #trees: Trees;
  readonly #functions: TemplateFunctions;
  readonly #missingKeyIsError: boolean;
  readonly #name: string;

  /** Throws TemplateError: `template: :1: unclosed action`. */
  constructor(source: string, options: TemplateOptions = {}) {
    this.#source = source;
    this.#functions = { ...FUNCTIONS, ...options.functions };
    this.#missingKeyIsError = options.missingKeyIsError ?? false;
    this.#name = options.name ?? "";
    this.#trees = this.#parse();
  }

  #parse(): Trees {
    try {
      return parse(this.#source, new Set(Object.keys(this.#functions)));
    } catch (cause) {
      if (!(cause instanceof TemplateError) || this.#name === "") throw cause;
      throw new TemplateError(cause.message.replace(/^template: :/, `template: ${this.#name}:`), { cause });
    }
  }

  /** The text for `data`; see values.ts for what objects mean. Throws ExecutionError. */
  execute(data: unknown, options: Omit<TemplateOptions, "name"> = {}): string {
    return execute(this.#source, this.#trees, data, {
      functions: options.functions ? { ...this.#functions, ...options.functions } : this.#functions,
      missingKeyIsError: options.missingKeyIsError ?? this.#missingKeyIsError,
      name: this.#name,
    });
  }
}
