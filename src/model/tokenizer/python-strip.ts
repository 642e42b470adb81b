/**
 * Characters that Python's `str.strip()` removes (`str.isspace`, checked over all code points with CPython 3.11).
 *
 * JavaScript's `trim` differs: it also removes U+FEFF, and keeps U+001C to U+001F and U+0085.
 */
const PYTHON_SPACE = '\\t-\\r\\x1c- \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'

const LEADING = new RegExp(`^[${PYTHON_SPACE}]+`)
const SPACE = new RegExp(`[${PYTHON_SPACE}]`)

/** Removes white space at the beginning, as Python's `str.lstrip()` does. */
export function pythonStripStart(text: string): string {
  return text.replace(LEADING, '')
}

/** Removes white space at the end, as Python's `str.rstrip()` does. */
export function pythonStripEnd(text: string): string {
  // A loop from the end: `/[…]+$/` would take quadratic time on long runs of white space.
  let end = text.length
  while (end > 0 && SPACE.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end)
}

/** Splits at runs of white space, as Python's `str.split()` does: no empty words. */
export function pythonSplit(text: string): string[] {
  return text.split(SPACE).filter((word) => word !== '')
}

/** Removes white space at both ends, as Python's `str.strip()` does. */
export function pythonStrip(text: string): string {
  return pythonStripEnd(pythonStripStart(text))
}
