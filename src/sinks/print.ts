import { sinkFailed } from './sink-failed.js'

/** Where text is printed: `process.stdout`, or any other writable stream. */
export interface TextOutput {
  write(text: string, whenTaken: (error?: Error | null) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Prints text; resolves when the output has taken it.
 *
 * @throws {StreamError} `SINK_FAILED`: the output is closed.
 */
export function print(output: TextOutput, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(text, (error) => {
      if (error) reject(sinkFailed('Could not print an answer', error))
      else resolve()
    })
  })
}

/** Media time as minutes and seconds, e.g. `2:05.040`. */
export function clock(ms: number): string {
  const whole = Math.round(ms)
  const minutes = Math.floor(whole / 60_000)
  return `${minutes}:${((whole % 60_000) / 1000).toFixed(3).padStart(6, '0')}`
}

/** Text without control characters other than line breaks: an answer must not steer the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]+/gu, ' ')
}
