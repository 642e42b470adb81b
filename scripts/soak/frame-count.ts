import type { Frame } from 'tinyllava-stream'

/** Counts the frames of some streams, each once: what at-least-once delivery reads again counts no further. */
export class FrameCount {
  readonly #lastMs = new Map<string, number>()
  #count = 0

  /** @param streams Ids of the streams that are counted. */
  constructor(streams: readonly string[]) {
    for (const id of streams) this.#lastMs.set(id, -1)
  }

  get count(): number {
    return this.#count
  }

  add({ stream, ptsMs }: { readonly stream: Pick<Frame['stream'], 'id'>; readonly ptsMs: number }): void {
    const lastMs = this.#lastMs.get(stream.id)
    if (lastMs === undefined || ptsMs <= lastMs) return
    this.#lastMs.set(stream.id, ptsMs)
    this.#count += 1
  }
}
