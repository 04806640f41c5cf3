import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { digestOf } from "#formats/digest.ts";
import { KernelBuilder } from "../../tools/harness/kernel-builder.ts";

let bench: KernelBuilder;

beforeAll(async () => {
  bench = await KernelBuilder.create();
});

afterAll(async () => {
  await bench[Symbol.asyncDispose]();
});

/** Everything below a directory, sorted. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" }).toSorted();
}

async function copied(instruction: string, files: Record<string, string>): Promise<string[]> {
  const image = await bench.build(`FROM scratch\n${instruction}\n`, files);
  return bench.inRoot(image, filesBelow);
}

describe("COPY", () => {
  const FILES = { "a/b/c.txt": "1", "a/b/d.md": "2", "a/e.txt": "3", "x.txt": "4", "node_modules/m.js": "5" };

  test("--parents keeps directories, from the pivot on, with **", async () => {
    expect(await copied("COPY --parents a/b/c.txt x.txt /to/", FILES)).toEqual([
      "to",
      "to/a",
      "to/a/b",
      "to/a/b/c.txt",
      "to/x.txt",
    ]);
    expect(await copied("COPY --parents a/./b/c.txt /to/", FILES)).toEqual(["to", "to/b", "to/b/c.txt"]);
    expect(await copied("COPY --parents **/*.txt /to/", FILES)).toEqual([
      "to",
      "to/a",
      "to/a/b",
      "to/a/b/c.txt",
      "to/a/e.txt",
      "to/x.txt",
    ]);
    expect(await copied("COPY --parents a/b /to/", FILES)).toEqual([
      "to",
      "to/a",
      "to/a/b",
      "to/a/b/c.txt",
      "to/a/b/d.md",
    ]);
    await expect(copied("COPY --parents a/nope /to/", FILES)).rejects.toThrow('"/a/nope": not found');
    expect(await copied("COPY --parents nope* /to/", FILES)).toEqual(["to"]);
  });

  test("--exclude leaves out below the source, and takes back with !", async () => {
    expect(await copied("COPY --exclude=**/*.md --exclude=node_modules . /", FILES)).toEqual([
      "a",
      "a/b",
      "a/b/c.txt",
      "a/e.txt",
      "x.txt",
    ]);
    expect(await copied("COPY --exclude=* --exclude=!a/b a /to/", { "a/b/x": "1", "a/c": "2" })).toEqual(["to"]);
    expect(await copied("COPY --exclude=*.txt x.txt a /to/", FILES)).toEqual(["to", "to/b", "to/b/c.txt", "to/b/d.md"]);
  });

  test("--exclude: what is left out is not in the key", async () => {
    await copied("COPY --exclude=x.txt . /", FILES);
    await copied("COPY --exclude=x.txt . /", { ...FILES, "x.txt": "changed" });
    expect(bench.cached).toEqual(["[1/1] COPY --exclude=x.txt . /"]);
  });

  test("--chmod symbolic, --chown, --link over another base", async () => {
    const image = await bench.build("FROM base\nCOPY --chmod=u=rwX,go=rX --chown=7:8 a /to/\n", FILES);
    await bench.inRoot(image, (root) => {
      expect(lstatSync(join(root, "to/e.txt"))).toMatchObject({ uid: 7, gid: 8 });
      expect(lstatSync(join(root, "to/e.txt")).mode & 0o777).toBe(0o644);
      expect(lstatSync(join(root, "to/b")).mode & 0o777).toBe(0o755);
    });
    await bench.build("FROM base\nRUN echo 1\nCOPY --link x.txt /l/\n", FILES);
    const linked = await bench.build("FROM base\nRUN echo 2 > /base-moved\nCOPY --link x.txt /l/\n", FILES);
    expect(bench.cached).toContain("[3/3] COPY --link x.txt /l/");
    await bench.inRoot(linked, (root) => {
      expect(readFileSync(join(root, "l/x.txt"), "utf8")).toBe("4");
      expect(readFileSync(join(root, "base-moved"), "utf8")).toBe("2\n");
    });
  });
});

test("ADD unpacks plain, gzip, bzip2, xz and zstd by content; --unpack=false does not", async () => {
  const source = join(bench.directory, "archives");
  mkdirSync(source);
  writeFileSync(join(source, "inside"), "in");
  const pack = (flag: string[]): Buffer => execFileSync("tar", [...flag, "-cf", "-", "-C", source, "inside"]);
  const kinds = { plain: [], gz: ["-z"], bz2: ["-j"], xz: ["-J"], zst: ["--zstd"] };
  for (const [name, flag] of Object.entries(kinds)) {
    const image = await bench.build(`FROM scratch\nADD ${name}.data /to/\nADD --unpack=false ${name}.data /raw/\n`, {
      [`${name}.data`]: pack(flag),
    });
    expect(await bench.inRoot(image, filesBelow)).toEqual(["raw", `raw/${name}.data`, "to", "to/inside"]);
  }
});

describe("ADD of a URL", () => {
  let server: ReturnType<typeof Bun.serve>;
  let content = "first";
  let requests: string[] = [];

  beforeAll(() => {
    server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => {
        const { pathname } = new URL(request.url);
        requests.push(`${pathname} ${request.headers.get("if-none-match") ?? ""}`.trim());
        if (pathname === "/loop") return Response.redirect("/loop");
        if (pathname === "/moved") return Response.redirect("/dir/file.txt");
        if (pathname === "/local")
          return new Response(null, { status: 302, headers: { Location: "file:///etc/passwd" } });
        if (pathname === "/missing") return new Response("no", { status: 404 });
        if (pathname === "/")
          return new Response("named", {
            headers: { "Content-Disposition": 'attachment; filename="../../evil name"' },
          });
        const etag = `"${digestOf(content).slice(-8)}"`;
        if (request.headers.get("if-none-match") === etag)
          return new Response(null, { status: 304, headers: { ETag: etag } });
        return new Response(content, { headers: { ETag: etag, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT" } });
      },
    });
  });
  afterAll(() => server.stop(true));

  const add = (words: string): ReturnType<KernelBuilder["build"]> => bench.build(`FROM scratch\nADD ${words}\n`);
  const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;

  test("gives 0600, the server's time and the name in the path; asks by ETag whether it is still so", async () => {
    const image = await add(`${url("/dir/file.txt")} /to/`);
    await bench.inRoot(image, (root) => {
      const stats = lstatSync(join(root, "to/file.txt"));
      expect([stats.mode & 0o777, stats.mtimeMs]).toEqual([0o600, Date.parse("2015-10-21T07:28:00Z")]);
      expect(readFileSync(join(root, "to/file.txt"), "utf8")).toBe("first");
    });
    requests = [];
    await add(`${url("/dir/file.txt")} /to/`);
    expect(bench.cached).toHaveLength(1);
    expect(requests).toEqual([expect.stringMatching(/^\/dir\/file\.txt "/)]);
    content = "second";
    const changed = await add(`${url("/dir/file.txt")} /to/`);
    await bench.inRoot(changed, (root) => expect(readFileSync(join(root, "to/file.txt"), "utf8")).toBe("second"));
  });

  test("a redirect keeps the URL's name; a name from the server has no directories", async () => {
    expect(await bench.inRoot(await add(`${url("/moved")} /to/`), filesBelow)).toEqual(["to", "to/moved"]);
    expect(await bench.inRoot(await add(`${url("/")} /to/`), filesBelow)).toEqual(["to", "to/evil name"]);
  });

  test("--checksum needs no request when the step is cached, and must fit", async () => {
    const checksum = digestOf(content);
    await add(`--checksum=${checksum} ${url("/dir/file.txt")} /sum/`);
    requests = [];
    await add(`--checksum=${checksum} ${url("/dir/file.txt")} /sum/`);
    expect(requests).toEqual([]);
    const wrong = digestOf("wrong");
    await expect(add(`--checksum=${wrong} ${url("/dir/file.txt")} /bad/`)).rejects.toThrow(
      `digest mismatch for ${url("/dir/file.txt")}: ${checksum} (expected: ${wrong})`,
    );
    await expect(add("--checksum=sha256:abc http://x/y /")).rejects.toThrow("invalid checksum digest format");
  });

  test("hostile servers: loops, other protocols, errors; passwords stay out of messages", async () => {
    await expect(add(`${url("/loop")} /`)).rejects.toThrow("stopped after 10 redirects");
    await expect(add(`${url("/local")} /`)).rejects.toThrow("only http and https URLs are loaded");
    await expect(add(`${url("/missing")} /`)).rejects.toThrow("invalid response status 404");
    const secret = `http://user:hunter2@127.0.0.1:${server.port}/missing`;
    const failure = await add(`${secret} /`).catch((error: Error) => error.message);
    expect(failure).toContain("xxxxx");
    expect(failure).not.toContain("hunter2");
    expect(bench.names.join()).not.toContain("hunter2");
    expect(readdirSync(join(bench.directory, "scratch"))).toEqual([]);
  });
});

describe("ADD of a git repository", () => {
  let daemon: ChildProcess;
  let base: string;
  let commit = "";
  let first = "";

  beforeAll(async () => {
    const root = join(bench.directory, "git");
    const work = join(root, "work");
    mkdirSync(join(work, "sub"), { recursive: true });
    const git = (...args: string[]): string =>
      execFileSync("git", ["-C", work, "-c", "user.name=t", "-c", "user.email=t@t", ...args], {
        encoding: "utf8",
      }).trim();
    git("init", "-q", "-b", "main");
    writeFileSync(join(work, "README"), "one");
    git("add", ".");
    git("commit", "-qm", "one");
    first = git("rev-parse", "HEAD");
    git("tag", "-a", "v1", "-m", "v1");
    writeFileSync(join(work, "README"), "two");
    writeFileSync(join(work, "sub/run.sh"), "#!/bin/sh\n");
    chmodSync(join(work, "sub/run.sh"), 0o755);
    symlinkSync("/nowhere", join(work, "out"));
    git("add", ".");
    git("commit", "-qm", "two");
    commit = git("rev-parse", "HEAD");
    const inner = join(root, "inner");
    execFileSync("git", ["init", "-q", "-b", "main", inner]);
    writeFileSync(join(inner, "i"), "inner");
    execFileSync("git", ["-C", inner, "add", "."]);
    execFileSync("git", ["-C", inner, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "i"]);
    execFileSync("git", ["clone", "-q", "--bare", inner, join(root, "inner.git")]);
    git("checkout", "-q", "-b", "with-module");
    git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", join(root, "inner.git"), "mod");
    git("config", "-f", ".gitmodules", "submodule.mod.url", "../inner.git");
    git("commit", "-qam", "module");
    git("checkout", "-q", "main");
    execFileSync("git", ["clone", "-q", "--bare", work, join(root, "repo.git")]);
    const port = await freePort();
    daemon = spawn(
      "git",
      ["daemon", "--reuseaddr", "--export-all", `--base-path=${root}`, "--listen=127.0.0.1", `--port=${port}`, root],
      { stdio: "ignore" },
    );
    await untilOpen(port);
    base = `git://127.0.0.1:${port}/repo.git`;
  });
  afterAll(async () => {
    const gone = new Promise((resolve) => daemon.once("exit", resolve));
    daemon.kill();
    await gone;
  });

  const add = (words: string): ReturnType<KernelBuilder["build"]> => bench.build(`FROM scratch\nADD ${words}\n`);

  test("checks the commit out: 0644 and 0755, no .git; the commit is the key", async () => {
    const image = await add(`${base} /src`);
    await bench.inRoot(image, (root) => {
      expect(filesBelow(root)).toEqual(["src", "src/README", "src/out", "src/sub", "src/sub/run.sh"]);
      expect(lstatSync(join(root, "src/README")).mode & 0o777).toBe(0o644);
      expect(lstatSync(join(root, "src/sub/run.sh")).mode & 0o777).toBe(0o755);
      expect(readlinkSync(join(root, "src/out"))).toBe("/nowhere");
    });
    await add(`${base}#main /src`);
    expect(bench.cached).toHaveLength(1);
  });

  test("by tag, by commit, a subdirectory; both forms", async () => {
    for (const ref of ["#v1", `#${first}`, "?tag=v1", `?ref=${first}`]) {
      const image = await add(`${base}${ref} /src`);
      expect(await bench.inRoot(image, (root) => readFileSync(join(root, "src/README"), "utf8"))).toBe("one");
    }
    for (const form of ["#main:sub", "?branch=main&subdir=sub"]) {
      expect(await bench.inRoot(await add(`${base}${form} /s`), filesBelow)).toEqual(["s", "s/run.sh"]);
    }
  });

  test("--keep-git-dir and --checksum", async () => {
    const image = await add(`--keep-git-dir=true --checksum=${commit} ${base}#main /k`);
    await bench.inRoot(image, (root) => {
      expect(readdirSync(join(root, "k"))).toContain(".git");
      expect(readFileSync(join(root, "k/.git/HEAD"), "utf8").trim()).toBe(commit);
    });
    await expect(add(`--checksum=${first} ${base}#main /k`)).rejects.toThrow(
      `expected checksum to match ${first}, got ${commit}`,
    );
  });

  test("submodules, by URLs relative to the repository; none with submodules=false", async () => {
    expect(await bench.inRoot(await add(`${base}#with-module /s`), filesBelow)).toContain("s/mod/i");
    expect(await bench.inRoot(await add(`${base}?ref=with-module&submodules=false /s`), filesBelow)).not.toContain(
      "s/mod/i",
    );
  });

  test("hostile refs, directories and protocols are refused", async () => {
    await expect(add(`${base}#--upload-pack=x /`)).rejects.toThrow("invalid git ref");
    await expect(add(`${base}#main:../../etc /`)).rejects.toThrow("it leads out");
    await expect(add(`${base}#main:out /`)).rejects.toThrow("subdir not found");
    await expect(add(`${base}#none /`)).rejects.toThrow("does not contain ref none");
    await expect(add("ssh://-oProxyCommand=x/y.git /")).rejects.toThrow("invalid git URL");
    await expect(add(`${base}?nope=1 /`)).rejects.toThrow('unexpected query "nope"');
    expect(readdirSync(join(bench.directory, "scratch"))).toEqual([]);
  });

  test("over http: a password in the URL, or a token from a secret, reaches the server and nothing else", async () => {
    using server = httpGit(join(bench.directory, "git"), `Basic ${Buffer.from("me:hunter2").toString("base64")}`);
    const image = await add(`--keep-git-dir=true http://me:hunter2@127.0.0.1:${server.port}/repo.git#main /h`);
    await bench.inRoot(image, (root) => {
      expect(readFileSync(join(root, "h/README"), "utf8")).toBe("two");
      expect(JSON.stringify(image)).not.toContain("hunter2");
      expect(Bun.spawnSync(["grep", "-r", "hunter2", join(root, "h")]).stdout.toString()).toBe("");
    });
    const token = Buffer.from("x-access-token:t0ken").toString("base64");
    using tokenServer = httpGit(join(bench.directory, "git"), `basic ${token}`);
    const url = `http://127.0.0.1:${tokenServer.port}/repo.git#v1`;
    const secrets = { get: async (id: string) => (id === "GIT_AUTH_TOKEN" ? Buffer.from("t0ken") : undefined) };
    await bench.build(`FROM scratch\nADD ${url} /t\n`, {}, { secrets });
    const refused = await add(`${url.replace("#v1", "#main:sub")} /t`).catch((error: Error) => error.message);
    expect(refused).toContain("failed to fetch remote");
  });

  test("is a build's context too, with the Dockerfile in it", async () => {
    const remote = {
      kind: "remote",
      url: `${base}#main`,
      dockerfile: Buffer.from("FROM scratch\nCOPY README /r\n"),
    } as const;
    const image = await bench.build("", {}, { input: remote });
    expect(await bench.inRoot(image, (root) => readFileSync(join(root, "r"), "utf8"))).toBe("two");
    await expect(bench.build("", {}, { input: { kind: "remote", url: base } })).rejects.toThrow(
      "failed to read dockerfile: open Dockerfile: no such file or directory",
    );
  });
});

/** git's own server behind a check of the Authorization header. https://git-scm.com/docs/git-http-backend */
function httpGit(root: string, authorization: string): ReturnType<typeof Bun.serve> {
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request) => {
      const given = request.headers.get("authorization") ?? "";
      if (given.toLowerCase() !== authorization.toLowerCase()) {
        return new Response("", { status: 401, headers: { "WWW-Authenticate": 'Basic realm="git"' } });
      }
      const url = new URL(request.url);
      const body = new Uint8Array(await request.arrayBuffer());
      const { stdout } = Bun.spawnSync(["git", "http-backend"], {
        stdin: request.headers.get("content-encoding") === "gzip" ? Bun.gunzipSync(body) : body,
        env: {
          PATH: process.env["PATH"],
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: "1",
          REQUEST_METHOD: request.method,
          PATH_INFO: url.pathname,
          QUERY_STRING: url.search.slice(1),
          CONTENT_TYPE: request.headers.get("content-type") ?? "",
          GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
        },
      });
      const end = stdout.indexOf("\r\n\r\n");
      const head = stdout
        .subarray(0, end)
        .toString()
        .split("\r\n")
        .map((line) => line.split(": ") as [string, string]);
      const status = Number(head.find(([name]) => name === "Status")?.[1].slice(0, 3) ?? 200);
      return new Response(Uint8Array.from(stdout.subarray(end + 4)), {
        status,
        headers: head.filter(([name]) => name !== "Status"),
      });
    },
  });
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

async function untilOpen(port: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return;
    await Bun.sleep(25);
  }
}
