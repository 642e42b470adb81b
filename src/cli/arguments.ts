import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'

import { DEVICE_CHOICES } from '../model/device/device.js'

/** Reads a whole number within bounds. */
export function integer(min: number, max = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    const range = max === Number.MAX_SAFE_INTEGER ? `of ${min} or more` : `from ${min} to ${max}`
    throw new InvalidArgumentError(`Give a whole number ${range}.`)
  }
}

/** Reads a number within bounds. */
export function decimal(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (text.trim() !== '' && value >= min && value <= max) return value
    throw new InvalidArgumentError(`Give a number from ${min} to ${max}.`)
  }
}

/** Reads text that is not empty. */
export function nonEmpty(text: string): string {
  if (text.trim() !== '') return text
  throw new InvalidArgumentError('It is empty.')
}

/** Gathers the values of a variadic argument, none of them empty. */
export function nonEmptyList(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, nonEmpty(text)]
}

/** `--device KIND`. */
export function deviceOption(description: string): Option {
  return new Option('--device <kind>', description).choices(DEVICE_CHOICES)
}

/** Ends with one line about the command line, as commander does for its own checks. */
export function wrongUse(command: Command, message: string): never {
  return command.error(`error: ${message}`)
}
