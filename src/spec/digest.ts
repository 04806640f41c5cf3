/** A content digest, `sha256:` and 64 lower-case hex digits. https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests */
export type Digest = `sha256:${string}`;
