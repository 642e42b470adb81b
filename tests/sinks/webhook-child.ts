/** Writes answers to a webhook whose other end is down, and says which were taken: for a test that kills it. */
import { webhook } from '../../src/sinks/webhook.js'
import { createAnswer } from './contract.js'

const [url = '', folder = '', from = '0'] = process.argv.slice(2)
const sink = webhook(url, { circuit: { failuresToOpen: 1 }, spill: { folder, maxBytes: 1e7 } })
await sink.open?.()
for (let place = Number(from); ; place += 1) {
  await sink.write(createAnswer(String(place)))
  process.stdout.write(`${place}\n`)
}
