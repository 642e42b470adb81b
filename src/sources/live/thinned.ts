/** Estimates how many pictures the decoder left out: those announced, less those that came. */
export class ThinnedEstimate {
  #before = 0
  #fps: number | undefined
  #firstMs: number | undefined
  #lastMs = 0
  #came = 0

  /** A new connection. */
  restart(): void {
    this.#before = this.estimate
    this.#fps = undefined
    this.#firstMs = undefined
    this.#came = 0
  }

  /** The rate that the camera announces, in pictures a second. */
  announceFps(fps: number): void {
    this.#fps = fps
  }

  /** A picture came, with its media time. */
  add(ptsMs: number): void {
    this.#firstMs ??= ptsMs
    this.#lastMs = ptsMs
    this.#came += 1
  }

  /** Over all connections; 0 where no rate is known. */
  get estimate(): number {
    if (this.#fps === undefined || this.#firstMs === undefined) return this.#before
    const announced = Math.round(((this.#lastMs - this.#firstMs) * this.#fps) / 1000) + 1
    return this.#before + Math.max(0, announced - this.#came)
  }
}
