import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./child.ts";

/** Names of the files in a directory that {@link makeCertificates} filled. */
export interface Certificates {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A CA, and a certificate of it for this machine's loopback that serves both sides. */
export async function makeCertificates(directory: string): Promise<Certificates> {
  const file = (name: string): string => join(directory, name);
  writeFileSync(file("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n");
  const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const caFiles = ["-keyout", file("ca-key.pem"), "-out", file("ca.pem")];
  await openssl("req", "-x509", ...ec, ...caFiles, "-days", "2", "-subj", "/CN=test-ca");
  await openssl("req", ...ec, "-keyout", file("key.pem"), "-out", file("csr"), "-subj", "/CN=test");
  const signer = ["-CA", file("ca.pem"), "-CAkey", file("ca-key.pem"), "-CAcreateserial"];
  await openssl(
    ...["x509", "-req", "-in", file("csr"), ...signer, "-out", file("cert.pem")],
    ...["-days", "2", "-extfile", file("ext")],
  );
  return { ca: file("ca.pem"), cert: file("cert.pem"), key: file("key.pem") };
}

async function openssl(...args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await run("openssl", args);
  if (exitCode !== 0) throw new Error(`openssl ${args[0]} ended with ${exitCode}:\n${stderr}`);
}
