import type { ContextSelection } from "./context-selection.ts";
import { type ContextMetadata, type ContextStore, DEFAULT_CONTEXT } from "./context-store.ts";

/** What lists say of the context that is not stored. */
export const DEFAULT_DESCRIPTION = "Current DOCKER_HOST based configuration";

/** The context `default`, made of what the flags and variables say. */
function defaultContext(selection: ContextSelection): ContextMetadata {
  return {
    Name: DEFAULT_CONTEXT,
    Metadata: {},
    Endpoints: { docker: { Host: selection.defaultHost, SkipTLSVerify: false } },
  };
}

/** A context by its name, stored or not. Throws NotFoundError, InvalidParameterError. */
export function contextNamed(name: string, selection: ContextSelection, store: ContextStore): ContextMetadata {
  return name === DEFAULT_CONTEXT ? defaultContext(selection) : store.read(name);
}

/** The default context as a copy has it: described. */
export function describedCopy(context: ContextMetadata): ContextMetadata {
  if (context.Name !== DEFAULT_CONTEXT) return context;
  return { ...context, Metadata: { ...context.Metadata, Description: DEFAULT_DESCRIPTION } };
}
