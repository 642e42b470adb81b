import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { z } from 'zod'

import { StreamError } from '../errors.js'
import { findFfmpeg } from './ffmpeg-binary.js'

/** Lets ffmpeg choose a method, and decode on the processor where it finds none. */
const AUTO = 'auto'

/** These leave the pictures in the device's memory, where our filters can't reach them. */
const WITHOUT_PICTURES = ['qsv', 'cuvid']

/** A device that doesn't answer for so long, in milliseconds, isn't there. */
const PROBE_TIMEOUT_MS = 30_000

/** The setting `hwaccel`: what it may look like; whether it is there is checked by `expectHwaccel`. */
export const hwaccelSchema = z.string().regex(/^[a-z0-9_]{1,32}$/, "expected the name of a method, e.g. 'auto' or 'vaapi'")

const run = promisify(execFile)

/** What was found to work, by binary and method: devices aren't tried again for each stream. */
const known = new Set<string>()

/**
 * Checks that ffmpeg knows a method of decoding by hardware, and that its device answers on this machine.
 *
 * `auto` always passes: ffmpeg then falls back to the processor by itself.
 *
 * @throws {StreamError} `HWACCEL_UNAVAILABLE`, with the methods that ffmpeg has; `FFMPEG_NOT_FOUND`.
 */
export async function expectHwaccel(method: string): Promise<void> {
  const binary = findFfmpeg()
  const key = `${binary}\0${method}`
  if (method === AUTO || known.has(key)) return
  await expectListed(binary, method)
  await expectDevice(binary, method)
  known.add(key)
}

async function expectListed(binary: string, method: string): Promise<void> {
  const { stdout } = await runFfmpeg(binary, ['-hwaccels'])
  const [, ...lines] = stdout.split('\n').map((line) => line.trim())
  const methods = lines.filter((name) => name !== '' && !WITHOUT_PICTURES.includes(name))
  if (methods.includes(method)) return
  const there = [AUTO, ...methods].join(', ')
  throw new StreamError('HWACCEL_UNAVAILABLE', `${binary} can't decode by '${method}'. What it has for \`hwaccel\`: ${there}.`)
}

async function expectDevice(binary: string, method: string): Promise<void> {
  const nothing = ['-f', 'lavfi', '-i', 'nullsrc=s=16x16', '-frames:v', '1', '-f', 'null', '-']
  const { isWell, stderr } = await runFfmpeg(binary, ['-init_hw_device', method, ...nothing])
  if (isWell) return
  throw new StreamError(
    'HWACCEL_UNAVAILABLE',
    `The device for decoding by '${method}' doesn't answer: ${firstComplaint(stderr)}. Check its driver and who may ` +
      "use it, or take `hwaccel: 'auto'`, which falls back to the processor.",
  )
}

interface ProbeEnd {
  readonly isWell: boolean
  readonly stdout: string
  readonly stderr: string
}

async function runFfmpeg(binary: string, options: readonly string[]): Promise<ProbeEnd> {
  const limits = { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' } as const
  try {
    return { isWell: true, ...(await run(binary, ['-v', 'error', '-nostdin', ...options], limits)) }
  } catch (error) {
    const { stdout = '', stderr = '' } = error as Partial<ProbeEnd>
    return { isWell: false, stdout, stderr }
  }
}

/** What ffmpeg says first, without its prefix. */
function firstComplaint(stderr: string): string {
  const [first = ''] = stderr.split('\n')
  return first.replace(/^\[[^\]]*\] /, '').replace(/\.$/, '').trim() || 'it gave no reason'
}
