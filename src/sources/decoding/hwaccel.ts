import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { z } from 'zod'

import { StreamError } from '../../errors.js'
import { findFfmpeg } from './ffmpeg-binary.js'
import { SharedWork } from './shared-work.js'

/** Lets ffmpeg choose a method, and decode on the processor where it finds none. */
const AUTO = 'auto'

/** These leave the pictures in the device's memory, where our filters can't reach them. */
const WITHOUT_PICTURES = ['qsv', 'cuvid']

/** A device that doesn't answer for so long, in milliseconds, isn't there: `ProbeOptions.timeoutMs`. */
const PROBE_TIMEOUT_MS = 30_000

/** The setting `hwaccel`: what it may look like; whether it is there is checked by `expectHwaccel`. */
export const hwaccelSchema = z.string().regex(/^[a-z0-9_]{1,32}$/, "expected the name of a method, e.g. 'auto' or 'vaapi'")

const run = promisify(execFile)

/** What was found to work, by binary and method: devices aren't tried again for each stream. */
const probes = new SharedWork()

/** Settings of `expectHwaccel`. */
export interface ProbeOptions {
  /**
   * Milliseconds that ffmpeg may take for each of its two answers.
   *
   * @default 30000
   */
  readonly timeoutMs?: number
}

/**
 * Checks that ffmpeg knows a method of decoding by hardware, and that its device answers on this machine.
 *
 * `auto` always passes: ffmpeg then falls back to the processor by itself. Who asks for the same method at the same
 * time shares one look at the device, under the time limit of the first.
 *
 * @param signal Stops the wait, and the look where nobody else waits for it.
 * @throws {StreamError} `HWACCEL_UNAVAILABLE`, with the methods that ffmpeg has, or where the device doesn't answer
 *   (in time); `FFMPEG_NOT_FOUND`; `ABORTED`.
 */
export async function expectHwaccel(
  method: string,
  signal: AbortSignal,
  { timeoutMs = PROBE_TIMEOUT_MS }: ProbeOptions = {},
): Promise<void> {
  const binary = findFfmpeg()
  if (method === AUTO) return
  await probes.wait(`${binary}\0${method}`, {
    begin: async (stop) => {
      const probe = { binary, method, timeoutMs, signal: stop }
      await expectListed(probe)
      await expectDevice(probe)
    },
    signal,
    what: `Looking for the device of '${method}'`,
  })
}

/** One look at a method. */
interface Probe {
  readonly binary: string
  readonly method: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

async function expectListed(probe: Probe): Promise<void> {
  const { binary, method } = probe
  const { stdout } = await runFfmpeg(probe, ['-hwaccels'])
  const [, ...lines] = stdout.split('\n').map((line) => line.trim())
  const methods = lines.filter((name) => name !== '' && !WITHOUT_PICTURES.includes(name))
  if (methods.includes(method)) return
  const there = [AUTO, ...methods].join(', ')
  throw new StreamError('HWACCEL_UNAVAILABLE', `${binary} can't decode by '${method}'. What it has for \`hwaccel\`: ${there}.`)
}

async function expectDevice(probe: Probe): Promise<void> {
  const nothing = ['-f', 'lavfi', '-i', 'nullsrc=s=16x16', '-frames:v', '1', '-f', 'null', '-']
  const { isWell, stderr } = await runFfmpeg(probe, ['-init_hw_device', probe.method, ...nothing])
  if (!isWell) throw deviceError(probe.method, `doesn't answer: ${firstComplaint(stderr)}`)
}

function deviceError(method: string, what: string): StreamError {
  return new StreamError(
    'HWACCEL_UNAVAILABLE',
    `The device for decoding by '${method}' ${what}. Check its driver and who may use it, or take ` +
      "`hwaccel: 'auto'`, which falls back to the processor.",
  )
}

interface ProbeEnd {
  readonly isWell: boolean
  readonly stdout: string
  readonly stderr: string
}

async function runFfmpeg({ binary, method, timeoutMs, signal }: Probe, options: readonly string[]): Promise<ProbeEnd> {
  const limits = { timeout: timeoutMs, killSignal: 'SIGKILL', signal } as const
  try {
    return { isWell: true, ...(await run(binary, ['-v', 'error', '-nostdin', ...options], limits)) }
  } catch (error) {
    const { stdout = '', stderr = '', killed = false } = error as Partial<ProbeEnd & { readonly killed: boolean }>
    if (killed) throw deviceError(method, `didn't answer within ${timeoutMs / 1000} s`)
    return { isWell: false, stdout, stderr }
  }
}

/** What ffmpeg says first, without its prefix. */
function firstComplaint(stderr: string): string {
  const [first = ''] = stderr.split('\n')
  return first.replace(/^\[[^\]]*\] /, '').replace(/\.$/, '').trim() || 'it gave no reason'
}
