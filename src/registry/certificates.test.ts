import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { Certificates } from "./certificates.ts";
import { fetchTransport } from "./transport.ts";

let directory: string;
let server: Server;
let host: string;

/** An authority, and a certificate of its for the server and for a client. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "berth-tls-"));
  const openssl = (...args: readonly string[]): void => {
    execFileSync("openssl", args, { cwd: directory, stdio: "ignore" });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=authority");
  writeFileSync(join(directory, "names"), "subjectAltName=IP:127.0.0.1");
  for (const [name, extension] of [
    ["server", "crt"],
    ["client", "cert"],
  ]) {
    openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    const sign = [
      "x509",
      "-req",
      "-in",
      `${name}.csr`,
      "-CA",
      "ca.crt",
      "-CAkey",
      "ca.key",
      "-CAcreateserial",
      "-days",
      "2",
    ];
    openssl(...sign, "-extfile", "names", "-out", `${name}.${extension}`);
  }
  const pem = (name: string): string => readFileSync(join(directory, name), "utf8");
  const options = { key: pem("server.key"), cert: pem("server.crt"), ca: pem("ca.crt"), requestCert: true };
  server = createServer({ ...options, rejectUnauthorized: false }, (request, response) => {
    response.end(String((request.socket as TLSSocket).authorized));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true });
});

async function ask(files: readonly string[], skip = false): Promise<string> {
  const certs = join(directory, "certs.d");
  rmSync(certs, { recursive: true, force: true });
  mkdirSync(join(certs, host), { recursive: true });
  for (const file of files) copyFileSync(join(directory, file), join(certs, host, file));
  const transport = fetchTransport({
    userAgent: "test",
    skipsVerification: () => skip,
    certificates: new Certificates([join(directory, "none"), certs]),
  });
  return (await transport({ method: "GET", url: new URL(`https://${host}/v2/`) })).text();
}

describe("Certificates", () => {
  test("an unknown authority is refused in Go's words, unless the registry is insecure", async () => {
    const refused = `Get "https://${host}/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`;
    await expect(ask([])).rejects.toThrow(refused);
    expect(await ask([], true)).toBe("false");
  });

  test("certs.d names authorities and a client's certificate", async () => {
    expect(await ask(["ca.crt"])).toBe("false");
    expect(await ask(["ca.crt", "client.cert", "client.key"])).toBe("true");
  });

  test("a server that wants a client's certificate is not taken for one without TLS", async () => {
    const pem = (name: string): string => readFileSync(join(directory, name), "utf8");
    const strict = createServer(
      {
        key: pem("server.key"),
        cert: pem("server.crt"),
        ca: pem("ca.crt"),
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_, response) => response.end(),
    );
    await new Promise<void>((resolve) => strict.listen(0, "127.0.0.1", resolve));
    const open = host;
    host = `127.0.0.1:${(strict.address() as AddressInfo).port}`;
    try {
      await expect(ask(["ca.crt"])).rejects.toThrow("it may want a client certificate");
      expect(await ask(["ca.crt", "client.cert", "client.key"])).toBe("");
    } finally {
      host = open;
      strict.close();
    }
  });

  test("half a pair is refused in Docker's words", async () => {
    await expect(ask(["client.cert"])).rejects.toThrow(
      "missing key client.key for client certificate client.cert. CA certificates must use the extension .crt",
    );
    await expect(ask(["client.key"])).rejects.toThrow("missing client certificate client.cert for key client.key");
  });
});
