const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Text as it stands in HTML, between tags and inside quoted attributes. */
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')

const VISIBLE: Readonly<Record<string, string>> = { ' ': '␣', '\n': '⏎', '\t': '⇥', '\r': '␍' }

/** A token as it is read: one of white space alone would not be seen. */
export function visibleToken(text: string): string {
  if (text === '') return '∅'
  return text.trim() === '' ? text.replace(/\s/g, (character) => VISIBLE[character] ?? character) : text
}
