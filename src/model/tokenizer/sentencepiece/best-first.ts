/** A queue that hands out the best of its items: a binary heap. */
export class BestFirst<Item> {
  readonly #items: Item[] = []
  readonly #isBetter: (a: Item, b: Item) => boolean

  constructor(isBetter: (a: Item, b: Item) => boolean) {
    this.#isBetter = isBetter
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#rise(this.#items.length - 1)
  }

  /** Takes the best item out; undefined where none is left. */
  pop(): Item | undefined {
    const [best] = this.#items
    const last = this.#items.pop()
    if (last !== undefined && this.#items.length > 0) {
      this.#items[0] = last
      this.#sink(0)
    }
    return best
  }

  #rise(place: number): void {
    const above = (place - 1) >> 1
    if (place > 0 && this.#swapIfBetter(place, above)) this.#rise(above)
  }

  #sink(place: number): void {
    const [left, right] = [2 * place + 1, 2 * place + 2]
    const better = this.#isBetterAt(right, left) ? right : left
    if (this.#swapIfBetter(better, place)) this.#sink(better)
  }

  #isBetterAt(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]]
    return first !== undefined && second !== undefined && this.#isBetter(first, second)
  }

  #swapIfBetter(a: number, b: number): boolean {
    const [first, second] = [this.#items[a], this.#items[b]]
    if (first === undefined || second === undefined || !this.#isBetter(first, second)) return false
    this.#items[a] = second
    this.#items[b] = first
    return true
  }
}
