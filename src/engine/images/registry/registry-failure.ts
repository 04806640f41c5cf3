import { ForbiddenError, NotFoundError, UnauthorizedError } from "#errors/errors.ts";
import { familiarName, familiarString, type Reference } from "#formats/reference.ts";
import { problemOf, problemText } from "#registry/response-error.ts";

/**
 * A registry's refusal of a pull in Docker's words; other errors come back as they are. Docker calls a denied repository "not
 * found", since registries do not tell the two apart: moby, daemon/internal/distribution/errors.go.
 */
export function pullFailure(error: unknown, reference: Reference): unknown {
  const problem = problemOf(error);
  if (!problem) return notOurLogin(error);
  switch (problem.code) {
    case "DENIED":
    case "NAME_UNKNOWN":
      return new NotFoundError(
        `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${problemText(problem)}`,
        { cause: error },
      );
    case "MANIFEST_UNKNOWN":
    case "NOT_FOUND":
    case "STATUS_404":
      return new NotFoundError(`manifest for ${familiarString(reference)} not found: ${problemText(problem)}`, {
        cause: error,
      });
    default:
      return notOurLogin(error);
  }
}

/** As `pullFailure`, for a push. */
export function pushFailure(error: unknown): unknown {
  const problem = problemOf(error);
  if (problem?.code !== "DENIED") return notOurLogin(error);
  return new ForbiddenError(problemText(problem), { cause: error });
}

/** A 401 of the registry's must not become one of the engine's: the docker CLI would ask for a login at the terminal, and wait. */
function notOurLogin(error: unknown): unknown {
  return error instanceof UnauthorizedError ? new ForbiddenError(error.message, { cause: error }) : error;
}
