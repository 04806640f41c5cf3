/** Whether a context is something that the engine fetches: a URL, or one of git's short forms. */
export function isRemoteUrl(text: string): boolean {
  return /^(https?|git|ssh):\/\//.test(text) || /^[\w.-]+@[\w.-]+:/.test(text) || text.startsWith("github.com/");
}
