/** A text as part of a URL's query, as Go writes it: a space is `+`. https://pkg.go.dev/net/url#QueryEscape */
export function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (letter) => `%${letter.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
