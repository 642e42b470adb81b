/**
 * Watches one camera eight times over with a model slower than all of them together, and prints what came of it as
 * JSON: `jiti live-load.ts ADDRESS FRAMES …`. Memory is measured, after a forced collection, when so many pictures
 * have come in all.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import { lastValueFrom } from 'rxjs'

import { allFrames } from '../../../src/sampling/all-frames.js'
import { rtsp } from '../../../src/sources/rtsp.js'
import type { FrameStream } from '../../../src/sources/source.js'
import type { Frame } from '../../../src/types.js'

/** What `live-load.ts` prints. */
export interface LoadReport {
  /** Bytes that were still held, at each of the counts asked for. */
  readonly retained: readonly number[]
  readonly streams: readonly {
    readonly counts: ReturnType<FrameStream['info']['ledger']['counts']>
    /** Most pictures that were accounted for before one that came earlier was handed out. */
    readonly overtaken: number
    readonly error: string | undefined
  }[]
}

const CAMERAS = 8
/** Of so many pictures that come, the model gets through one. */
const SLOWNESS = 4

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const [address = '', ...marks] = process.argv.slice(2)

class Watch {
  readonly waiting: Frame[] = []
  overtaken = 0
  error: string | undefined
  readonly #stream: FrameStream

  constructor(stream: FrameStream) {
    this.#stream = stream
  }

  get counts() {
    return this.#stream.info.ledger.counts()
  }

  open() {
    let before = 0
    let epoch: number | undefined
    return this.#stream.frames.subscribe({
      next: (frame) => {
        // An epoch counts its pictures from 0, the ledger those of all.
        if (frame.stream.epoch !== epoch) before = this.counts.handedOut - 1 - frame.index
        epoch = frame.stream.epoch
        this.overtaken = Math.max(this.overtaken, this.counts.handedOut - before - frame.index - 1)
        this.waiting.push(frame)
      },
      error: (error: unknown) => (this.error = String(error)),
    })
  }
}

async function run(): Promise<LoadReport> {
  const watches: Watch[] = []
  for (let camera = 0; camera < CAMERAS; camera++) {
    watches.push(new Watch(await lastValueFrom(rtsp(address, { id: `camera-${camera}`, sampling: allFrames() }).streams)))
  }
  const subscriptions = watches.map((watch) => watch.open())
  const retained: number[] = []
  let settled = 0
  let turn = 0
  const arrived = () => watches.reduce((sum, { counts }) => sum + counts.handedOut, 0)
  /** The model: takes the streams in turn. */
  const work = (): void => {
    while (settled * SLOWNESS < arrived() && watches.some(({ waiting }) => waiting.length > 0)) {
      const frame = watches[turn++ % CAMERAS]?.waiting.shift()
      if (frame === undefined) continue
      frame.receipt.settle({ kind: 'encoded' })
      settled += 1
    }
  }
  for (const mark of marks) {
    while (arrived() < Number(mark)) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      work()
    }
    collect()
    collect()
    const { heapUsed, external } = process.memoryUsage()
    retained.push(heapUsed + external)
  }
  for (const subscription of subscriptions) subscription.unsubscribe()
  return { retained, streams: watches.map(({ counts, overtaken, error }) => ({ counts, overtaken, error })) }
}

process.stdout.write(JSON.stringify(await run()))
