import { throwIfAborted } from '../../errors.js'
import type { FrameFeatures } from '../../types.js'
import type { Pixels } from '../model.js'
import type { JobHooks, Lane } from './lane.js'
import type { ConnectJob, ConnectResult, EncodeJob } from './protocol.js'

/** What the vision lane runs. */
export interface VisionSetup {
  /** Runs the tower over a batch: one result a picture, in order. */
  readonly encode: (pictures: readonly Pixels[]) => Promise<readonly FrameFeatures[]>
  /** Runs the connector over a clip; each `yield` lies between two runs. */
  readonly connect: (job: ConnectJob) => AsyncGenerator<void, ConnectResult>
  /** Most pictures in one run of the tower. */
  readonly maxBatch: number
  /** How long a picture waits for others to share its run, in milliseconds. */
  readonly maxWaitMs: number
  /** Called when waiting is over: there is work now. */
  readonly onReady: () => void
}

/** A job, and how its caller is told. */
interface Queued<Result> {
  readonly hooks: JobHooks
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

interface QueuedPictures extends Queued<readonly FrameFeatures[]> {
  hasBegun: boolean
  /** Those that were not encoded yet. */
  readonly pictures: Pixels[]
  readonly features: FrameFeatures[]
  /** Pictures in all. */
  readonly count: number
}

interface QueuedClip extends Queued<ConnectResult> {
  readonly runs: AsyncGenerator<void, ConnectResult>
  hasBegun: boolean
}

/**
 * Encodes pictures and connects clips. A clip goes first: an answer waits for it, while pictures are for
 * clips to come. Pictures of different callers share a run of the tower, up to `maxBatch` of them.
 */
export class VisionLane implements Lane {
  readonly #setup: VisionSetup
  readonly #clips: QueuedClip[] = []
  readonly #jobs: QueuedPictures[] = []
  #timer: NodeJS.Timeout | undefined
  #isDue = false

  constructor(setup: VisionSetup) {
    this.#setup = setup
  }

  get hasWork(): boolean {
    return this.#clips.length > 0 || (this.#jobs.length > 0 && (this.#isDue || this.#waitingPictures() >= this.#setup.maxBatch))
  }

  /** Encodes pictures in the steps to come; one result a picture, in order. */
  encode({ pictures }: EncodeJob, hooks: JobHooks): Promise<readonly FrameFeatures[]> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ pictures: [...pictures], features: [], count: pictures.length, hooks, resolve, reject, hasBegun: false })
      this.#wait()
    })
  }

  /** Connects a clip in the steps to come. */
  connect(job: ConnectJob, hooks: JobHooks): Promise<ConnectResult> {
    return new Promise((resolve, reject) => {
      this.#clips.push({ runs: this.#setup.connect(job), hooks, resolve, reject, hasBegun: false })
    })
  }

  /** Waits for nothing any more. */
  close(): void {
    clearTimeout(this.#timer)
  }

  async step(): Promise<void> {
    const [clip] = this.#clips
    await (clip === undefined ? this.#stepPictures() : this.#stepClip(clip))
  }

  #wait(): void {
    const { maxWaitMs, maxBatch, onReady } = this.#setup
    if (maxWaitMs === 0 || maxBatch === 1) this.#isDue = true
    if (this.#isDue || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#isDue = true
      onReady()
    }, maxWaitMs)
  }

  #waitingPictures(): number {
    return this.#jobs.reduce((sum, { pictures }) => sum + pictures.length, 0)
  }

  async #stepClip(clip: QueuedClip): Promise<void> {
    try {
      throwIfAborted(clip.hooks.signal, 'Connecting')
      if (!clip.hasBegun) clip.hooks.onBegin()
      clip.hasBegun = true
      const { done, value } = await clip.runs.next()
      if (done !== true) return
      clip.resolve(value)
    } catch (error) {
      clip.reject(error)
    }
    this.#clips.shift()
  }

  async #stepPictures(): Promise<void> {
    this.#dropCancelled()
    const batch = this.#takeBatch()
    if (batch.length > 0) await this.#encodeBatch(batch)
    if (this.#jobs.length > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#isDue = false
  }

  #dropCancelled(): void {
    for (const job of [...this.#jobs]) {
      try {
        throwIfAborted(job.hooks.signal, 'Encoding')
      } catch (error) {
        this.#end(job)
        job.reject(error)
      }
    }
  }

  /** The next pictures, with the jobs they are of. */
  #takeBatch(): readonly { job: QueuedPictures; picture: Pixels }[] {
    const batch: { job: QueuedPictures; picture: Pixels }[] = []
    for (const job of this.#jobs) {
      const pictures = job.pictures.splice(0, this.#setup.maxBatch - batch.length)
      if (pictures.length === 0) break
      if (!job.hasBegun) job.hooks.onBegin()
      job.hasBegun = true
      for (const picture of pictures) batch.push({ job, picture })
    }
    return batch
  }

  async #encodeBatch(batch: readonly { job: QueuedPictures; picture: Pixels }[]): Promise<void> {
    try {
      const features = await this.#setup.encode(batch.map(({ picture }) => picture))
      batch.forEach(({ job }, place) => {
        job.features.push(...features.slice(place, place + 1))
      })
    } catch (error) {
      // Which picture it was, only a run of its own can tell: the others are not its fault.
      if (batch.length > 1) for (const entry of batch) await this.#encodeAlone(entry)
      else this.#fail(batch[0]?.job, error)
      return
    }
    for (const job of new Set(batch.map(({ job: owner }) => owner))) {
      if (job.features.length < job.count || !this.#jobs.includes(job)) continue
      this.#end(job)
      job.resolve(job.features)
    }
  }

  /** Runs one picture, unless another of its job has failed already. */
  async #encodeAlone(entry: { job: QueuedPictures; picture: Pixels }): Promise<void> {
    if (this.#jobs.includes(entry.job)) await this.#encodeBatch([entry])
  }

  #fail(job: QueuedPictures | undefined, error: unknown): void {
    if (job === undefined) return
    this.#end(job)
    job.reject(error)
  }

  #end(job: QueuedPictures): void {
    const place = this.#jobs.indexOf(job)
    if (place >= 0) this.#jobs.splice(place, 1)
  }
}
