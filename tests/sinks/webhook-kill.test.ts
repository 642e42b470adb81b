import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, expect, test } from 'vitest'

import { webhook } from '../../src/sinks/webhook.js'
import { Receiver } from './receiver.js'

const child = fileURLToPath(new URL('webhook-child.ts', import.meta.url))
const jiti = fileURLToPath(new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url))

let receiver: Receiver
let folder: string
beforeEach(async () => {
  receiver = await Receiver.start()
  folder = await mkdtemp(join(tmpdir(), 'webhook-kill-'))
})
afterEach(async () => {
  await receiver.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Lets a process write answers from a place on, and kills it after some were taken; gives the last that was. */
async function writeUntilKilled(from: number, count: number): Promise<number> {
  const args = [jiti, child, receiver.url, folder, String(from)]
  const writer = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let last = from - 1
  for await (const line of createInterface(writer.stdout)) {
    last = Number(line)
    // What it wrote meanwhile is read, too: all that was acknowledged counts.
    if (last === from + count) writer.kill('SIGKILL')
  }
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'exit')
  expect(writer.signalCode).toBe('SIGKILL')
  return last
}

test('a kill in the middle of writing loses nothing that was acknowledged, three times over', async () => {
  await receiver.stop()
  let acknowledged = -1
  for (const count of [7, 20, 3]) acknowledged = await writeUntilKilled(acknowledged + 1, count)
  expect(acknowledged).toBeGreaterThanOrEqual(30)

  await receiver.start()
  const sink = webhook(receiver.url, { spill: { folder } })
  await sink.open?.()
  await sink.close?.()
  // A result whose acknowledgement the kill cut off may be there, and is then written again by the next process.
  const places = receiver.answers.map(Number)
  expect(places).toEqual([...places].sort((one, other) => one - other))
  const all = Array.from({ length: acknowledged + 1 }, (_, place) => place)
  expect([...new Set(places)].slice(0, all.length)).toEqual(all)
  expect(places.length).toBeLessThanOrEqual(all.length + 3)
})
