/** Each failure of a connection as Go's net package words it: people and scripts look for these. */
const REASONS: Readonly<Record<string, (url: URL) => string>> = {
  ENOTFOUND: (url) => `dial tcp: lookup ${url.hostname}: no such host`,
  EAI_AGAIN: (url) => `dial tcp: lookup ${url.hostname}: Temporary failure in name resolution`,
  ECONNREFUSED: (url) => `dial tcp ${address(url)}: connect: connection refused`,
  EHOSTUNREACH: (url) => `dial tcp ${address(url)}: connect: no route to host`,
  ENETUNREACH: (url) => `dial tcp ${address(url)}: connect: network is unreachable`,
  ETIMEDOUT: (url) => `dial tcp ${address(url)}: i/o timeout`,
  ECONNRESET: () => "read tcp: connection reset by peer",
  EPIPE: () => "write tcp: broken pipe",
  EPROTO: () => "http: server gave HTTP response to HTTPS client",
  CERT_HAS_EXPIRED: () => "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  SELF_SIGNED_CERT_IN_CHAIN: () => "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () =>
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  ERR_TLS_CERT_ALTNAME_INVALID: (url) =>
    `tls: failed to verify certificate: x509: certificate is not valid for ${url.hostname}`,
};
/** What Go would say of a connection to `url` that failed with this code of the system's or of TLS; undefined for other codes. */
export function connectionReason(code: string, url: URL): string | undefined {
  return REASONS[code]?.(url);
}

function address(url: URL): string {
  return `${url.hostname}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
}
