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
