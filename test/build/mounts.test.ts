import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import type { BuildSecrets } from "#build/build-client.ts";
import { KernelBuilder } from "../../tools/harness/kernel-builder.ts";

let bench: KernelBuilder;

beforeAll(async () => {
  bench = await KernelBuilder.create();
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

function secretsOf(values: Record<string, string>): BuildSecrets {
  return { get: async (id) => (id in values ? Buffer.from(values[id] ?? "") : undefined) };
}

describe("RUN --mount=type=bind", () => {
  test("shows files of the context, read-only, and leaves no trace in the layer", async () => {
    const dockerfile = [
      "FROM base",
      "RUN --mount=target=/src --mount=source=a/b.txt,dst=/deep/er/b cat /src/a/b.txt /deep/er/b; touch /src/x || echo refused",
    ].join("\n");
    const files = { "a/b.txt": "content\n", other: "1" };
    const image = await bench.build(dockerfile, files);
    expect(bench.logs.match(/content/g)).toHaveLength(2);
    expect(bench.logs).toContain("refused");
    expect((await bench.topLayer(image)).filter((name) => /src|deep/.test(name))).toEqual([]);
    await bench.build(dockerfile, files);
    expect(bench.cached).toContain(bench.names.find((name) => name.startsWith("[2/2]")) ?? "");
    await bench.build(dockerfile, { ...files, "a/b.txt": "changed\n" });
    expect(bench.logs).toContain("changed");
  });

  test("from a stage; what is written with rw is dropped, also for the stage itself", async () => {
    const image = await bench.build(
      [
        "FROM base AS tools",
        "RUN mkdir -p /opt/d && echo tool > /opt/d/t && ln -s /opt/d/t /opt/link",
        "FROM base",
        "RUN --mount=from=tools,source=/opt/d,target=/d,rw echo more >> /d/t && cat /d/t",
        "RUN --mount=from=tools,source=/opt/link,target=/t cat /t && mkdir -p /out",
        "COPY --from=tools /opt/d/t /out/",
      ].join("\n"),
    );
    expect(bench.logs).toContain("tool\nmore\n");
    await bench.inRoot(image, (root) => {
      expect(readFileSync(join(root, "out/t"), "utf8")).toBe("tool\n");
      expect(existsSync(join(root, "d"))).toBe(false);
    });
  });

  test("a link out of the stage stays inside it; a missing source is named", async () => {
    await bench.build(
      [
        "FROM base AS hostile",
        "RUN ln -s ../../../../../../etc /esc && ln -s /etc/hostname /file && mkdir -p /etc && echo inside > /etc/hostname",
        "FROM base",
        "RUN --mount=from=hostile,source=/esc,target=/e --mount=from=hostile,source=/file,target=/f cat /e/hostname /f",
      ].join("\n"),
    );
    expect(bench.logs.match(/inside/g)).toHaveLength(2);
    await expect(bench.build("FROM base\nRUN --mount=source=/nope,target=/n true")).rejects.toThrow(
      '"/nope": not found',
    );
    await expect(bench.build("FROM base\nRUN --mount=target=/ true")).rejects.toThrow('invalid mount target "/"');
  });
});

describe("RUN --mount=type=cache", () => {
  test("keeps files across builds, has a row, and is emptied by --no-cache", async () => {
    const add = (n: number): string =>
      `FROM base\nRUN --mount=type=cache,id=../../x/y,target=/c echo ${n} >> /c/f; cat /c/f`;
    await bench.build(add(1));
    const image = await bench.build(add(2));
    expect(bench.logs).toBe("1\n2\n");
    expect((await bench.topLayer(image)).filter((name) => name.startsWith("c"))).toEqual([]);
    const row = bench.cacheMountRows.list().find(({ id }) => id === "/../../x/y");
    expect(row).toMatchObject({ target: "/c", lastUser: expect.stringContaining("RUN --mount=type=cache") });
    expect(row?.size).toBeGreaterThan(0);
    expect(readdirSync(join(bench.directory, "caches")).every((name) => /^[0-9a-f]{32}$/.test(name))).toBe(true);
    await bench.build(add(3), {}, { noCache: true });
    expect(bench.logs).toBe("3\n");
  });

  test("mode, owner, base and read-only; other owners are other caches", async () => {
    await bench.build(
      [
        "FROM base AS seed",
        "RUN mkdir /seed && echo seeded > /seed/s",
        "FROM base",
        "RUN --mount=type=cache,target=/o,mode=0700,uid=7,gid=8 stat -c '%a %u:%g' /o",
        "RUN --mount=type=cache,id=s,target=/s,from=seed,source=/seed cat /s/s; echo more >> /s/s",
        "RUN --mount=type=cache,id=s,target=/s,from=seed,source=/seed,ro cat /s/s; touch /s/x 2>/dev/null || echo refused",
      ].join("\n"),
    );
    expect(bench.logs).toContain("700 7:8");
    expect(bench.logs).toContain("seeded\nseeded\nmore\n");
    expect(bench.logs).toContain("refused");
    await expect(bench.build("FROM base\nRUN --mount=type=cache,target=/o,source=/x true")).rejects.toThrow(
      "a new cache is empty",
    );
  });

  test("locked takes turns, private gives each its own, shared is one", async () => {
    const stage = (name: string, sharing: string): string =>
      `FROM base AS ${name}\nRUN --mount=type=cache,id=${sharing},target=/c,sharing=${sharing} echo ${name} > /c/${name}; sleep 1; ls /c > /n # ${sharing}`;
    const both = (sharing: string): string =>
      [stage("a", sharing), stage("b", sharing), "FROM base", "COPY --from=a /n /a", "COPY --from=b /n /b"].join("\n");
    const read = async (sharing: string): Promise<string[]> =>
      bench.inRoot(await bench.build(both(sharing)), (root) =>
        ["a", "b"].map((name) => readFileSync(join(root, name), "utf8").trim().replace("\n", " ")),
      );
    expect(await read("shared")).toEqual(["a b", "a b"]);
    expect(await read("private")).toEqual(["a", "b"]);
    expect((await read("locked")).toSorted((l, r) => l.length - r.length)[1]).toBe("a b");
  });
});

test("RUN --mount=type=tmpfs is memory of that size, gone afterwards", async () => {
  const image = await bench.build(
    "FROM base\nRUN --mount=type=tmpfs,target=/t,size=8m touch /t/x && df -k /t | tail -1 && grep ' /t tmpfs' /proc/mounts",
  );
  expect(bench.logs).toContain("size=8192k");
  expect(await bench.topLayer(image)).not.toContain("t/");
});

describe("RUN --mount=type=secret", () => {
  const SECRET = "s3cr3t-value-9f2";

  test("is a file with its mode and owner, or a variable, and never anywhere else", async () => {
    const dockerfile = [
      "FROM base",
      "RUN --mount=type=secret,id=k cat /run/secrets/k | sha256sum && stat -c '%a %u:%g' /run/secrets/k",
      "RUN --mount=type=secret,id=k,target=/app/key,mode=0440,uid=3,gid=4 stat -c '%a %u:%g' /app/key",
      'RUN --mount=type=secret,id=k,env=KEY test "$KEY" = s3cr3t-value-9f2 && test ! -e /run/secrets/k && echo "have $KEY" | wc -c',
      "RUN --mount=type=secret,id=none test ! -e /run/secrets/none",
    ].join("\n");
    const image = await bench.build(dockerfile, {}, { secrets: secretsOf({ k: SECRET }) });
    expect(bench.logs).toContain("400 0:0");
    expect(bench.logs).toContain("440 3:4");
    expect(JSON.stringify(image)).not.toContain(`KEY=${SECRET}`);
    expect(bench.names.join("\n")).toContain('test "****"');
    const found = Bun.spawnSync(["grep", "-rl", "--text", "have s3cr3t", bench.directory]).stdout.toString();
    expect(found).toBe("");
    for (const diffId of image.rootfs.diff_ids.slice(1)) {
      const layer = bench.layers.layer(diffId);
      expect(layer && readFileSync(layer.path).includes("s3cr3t")).toBe(false);
    }
    // Another value is the same step.
    await bench.build(dockerfile, {}, { secrets: secretsOf({ k: "other" }) });
    expect(bench.cached.filter((name) => name.includes("type=secret"))).toHaveLength(4);
  });

  test("that is required must be there", async () => {
    const dockerfile = "FROM base\nRUN --mount=type=secret,id=need,required true";
    await expect(bench.build(dockerfile)).rejects.toThrow("secret need: not found");
    await bench.build(dockerfile, {}, { secrets: secretsOf({ need: "x" }) });
  });
});

test("RUN --mount=type=ssh gives the step a socket of the mode and owner asked for, or none", async () => {
  const path = join(bench.directory, "agent.sock");
  const agent = createServer();
  await new Promise<void>((resolve) => agent.listen(path, resolve));
  try {
    const sshAgents = {
      open: async (id: string) => (id === "default" ? { connect: async () => connect(path) } : undefined),
    };
    const ask = "stat -c '%a %u' $SSH_AUTH_SOCK; echo $SSH_AUTH_SOCK";
    await bench.build(`FROM base\nRUN --mount=type=ssh,mode=0660,uid=5 ${ask}`, {}, { sshAgents });
    expect(bench.logs).toContain("660 5\n/run/buildkit/ssh_agent.0");
    await bench.build('FROM base\nRUN --mount=type=ssh test -z "$SSH_AUTH_SOCK" && echo none');
    expect(bench.logs).toContain("none");
    await expect(bench.build("FROM base\nRUN --mount=type=ssh,required true")).rejects.toThrow(
      'no SSH key "default" forwarded from the client',
    );
  } finally {
    agent.close();
  }
});

test("what a step leaves at a mount point's parent never leads the clean-up out of the root", async () => {
  const outside = join(bench.directory, "outside");
  Bun.spawnSync(["mkdir", "-p", join(outside, "secrets")]);
  symlinkSync(outside, join(bench.directory, "link"));
  await bench.build(
    `FROM base\nRUN --mount=type=tmpfs,target=/new/secrets mv /new /old; ln -s ${outside} /new; ls -l / | grep new`,
  );
  expect(existsSync(join(outside, "secrets"))).toBe(true);
});
