const ANY_ADDRESS_LOGIN = /([a-z][a-z0-9+.-]*:\/\/)[^\s'"]*@/gi
const ANY_ADDRESS_QUERY = /([a-z][a-z0-9+.-]*:\/\/[^\s?'"]*)\?[^\s'"]*/gi

/**
 * Hides the login and the query of every address in a text, for logs and messages.
 *
 * Hides too much rather than too little: all up to the last `@` counts as the login, because passwords
 * with a `/` or an `@` in them are common on cameras.
 *
 * @example
 * ```ts
 * redactUrl('rtsp://admin:secret@10.0.0.7/live?token=1') // 'rtsp://***@10.0.0.7/live?***'
 * ```
 */
export function redactUrl(text: string): string {
  return text.replace(ANY_ADDRESS_LOGIN, '$1***@').replace(ANY_ADDRESS_QUERY, '$1?***')
}

/**
 * The start of a text, for logs and messages: logins and queries of addresses are hidden as by `redactUrl`.
 *
 * An address that the cut falls into is hidden as a whole: the `@` that ends its login may come later. The text is
 * cut first because the search takes long in a long text.
 *
 * @param maxLength Where to cut, in characters.
 */
export function redactStart(text: string, maxLength: number): string {
  if (text.length <= maxLength) return redactUrl(text)
  return redactUrl(text.slice(0, maxLength).replace(/:\/\/[^\s'"]*$/, '://***'))
}

/**
 * Hides login, query and fragment of a text that is one address as a whole, also where `path.resolve` made
 * `/folder/rtsp:/admin:secret@…` of it. Blanks and quotes in a password don't end it here.
 *
 * @example
 * ```ts
 * redactAddress('/videos/rtsp:/admin:my secret@10.0.0.7/live?token=1') // '/videos/rtsp:/***@10.0.0.7/live?***'
 * ```
 */
export function redactAddress(text: string): string {
  const [, scheme, rest] = /^((?:.*?[/\s])?[a-z][a-z0-9+.-]+:\/+)(.*)$/is.exec(text) ?? []
  if (scheme === undefined || rest === undefined) return text
  return scheme + rest.replace(/^.*@/s, '***@').replace(/([?#]).*$/s, '$1***')
}
