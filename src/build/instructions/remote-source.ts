/** What a source of ADD names: something behind a URL, a git repository, or (undefined) a path. BuildKit tells them apart like this. */
export function remoteKind(source: string): "url" | "git" | undefined {
  const isGit =
    /^(git|ssh):\/\//.test(source) || /^git@[^/]+:/.test(source) || /^[a-z]+:\/\/.*\.git(#.*)?$/.test(source);
  if (isGit) return "git";
  return /^https?:\/\//.test(source) ? "url" : undefined;
}
