import { StreamError } from './errors.js'

/** Shows a value that came in as a setting, short enough for one line. */
function show(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return `\`${text.length > 60 ? `${text.slice(0, 57)}...` : text}\` (${typeof value})`
}

/**
 * Checks that a setting is an integer within bounds and returns it.
 *
 * @throws {StreamError} `SETTING_INVALID`, saying what was expected and what came.
 */
export function expectInteger(name: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `an integer >= ${min}` : `an integer from ${min} to ${max}`
  throw new StreamError('SETTING_INVALID', `Expected \`${name}\` to be ${range}, got ${show(value)}.`)
}

/**
 * Checks that a setting is a finite number above `min` (or from `min` on, with `inclusive`) and returns it.
 *
 * @throws {StreamError} `SETTING_INVALID`, saying what was expected and what came.
 */
export function expectNumber(
  name: string,
  value: unknown,
  { min, max = Infinity, inclusive = false }: { min: number; max?: number; inclusive?: boolean },
): number {
  const aboveMin = typeof value === 'number' && (inclusive ? value >= min : value > min)
  if (aboveMin && Number.isFinite(value) && value <= max) return value
  const upper = max === Infinity ? '' : ` and at most ${max}`
  throw new StreamError(
    'SETTING_INVALID',
    `Expected \`${name}\` to be a finite number ${inclusive ? '>=' : 'above'} ${min}${upper}, got ${show(value)}.`,
  )
}

/**
 * Checks that a setting is a string that is not empty and returns it.
 *
 * @throws {StreamError} `SETTING_INVALID`, saying what was expected and what came.
 */
export function expectText(name: string, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new StreamError('SETTING_INVALID', `Expected \`${name}\` to be a string that is not empty, got ${show(value)}.`)
}

/**
 * Checks that a setting is one of a closed set and returns it.
 *
 * @throws {StreamError} `SETTING_INVALID`, listing the set.
 */
export function expectOneOf<Value extends string>(name: string, value: unknown, known: readonly Value[]): Value {
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw new StreamError('SETTING_INVALID', `Expected \`${name}\` to be ${known.join(' or ')}, got ${show(value)}.`)
}
