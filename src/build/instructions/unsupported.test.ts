import { expect, test } from "bun:test";
import { parseDockerfile } from "./parse-dockerfile.ts";
import { rejectUnsupported } from "./unsupported.ts";

function reject(line: string): void {
  const { stages } = parseDockerfile(Buffer.from(`FROM scratch\n${line}\n`));
  for (const instruction of stages[0]!.instructions) rejectUnsupported(instruction);
}

test.each([
  ["RUN --security=insecure x", "RUN --security=insecure"],
  ["RUN --device=vendor.com/class x", "RUN --device"],
  ["RUN --mount=type=secret,id=x y", "RUN --mount=type=secret"],
  ["RUN --mount=target=/x,from=a y", "RUN --mount=type=bind"],
  ["COPY --parents a/b /c/", "COPY --parents"],
  ["COPY --exclude=*.md . /c/", "COPY --exclude"],
  ["ADD --checksum=sha256:0 https://example.com/x /x", "ADD --checksum"],
  ["ADD https://example.com/x /x", "ADD of a URL or git repository"],
  ["ADD git@example.com:a/b.git /x", "ADD of a URL or git repository"],
])("rejectUnsupported() says what of %j is missing, and where", (line, what) => {
  expect(() => reject(line)).toThrow(`${what} is not supported yet (line 2)`);
});

test("rejectUnsupported() lets the rest pass", () => {
  expect(() => reject("COPY --link --chown=1:1 --chmod=644 a b\nADD a.tgz /x\nRUN --network=none x")).not.toThrow();
});
