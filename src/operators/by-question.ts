import type { Answer } from '../envelope.js'

/** Questions that are followed at once; a stream that carries its own may bring ever new ones. */
const MOST_QUESTIONS = 1024

/**
 * Keeps one state for each question of each stream, for at most 1,024 of them: beyond, the one that was
 * answered longest ago is forgotten.
 */
export class ByQuestion<State> {
  readonly #create: (first: Answer) => State
  /** In the order of their last answers. */
  readonly #states = new Map<string, State>()

  constructor(create: (first: Answer) => State) {
    this.#create = create
  }

  /** The state of the answer's question. */
  of(answer: Answer): State {
    const key = JSON.stringify([answer.source.id, answer.question])
    const state = this.#states.get(key) ?? this.#create(answer)
    this.#states.delete(key)
    this.#states.set(key, state)
    if (this.#states.size > MOST_QUESTIONS) this.#forgetOldest()
    return state
  }

  #forgetOldest(): void {
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest)
      return
    }
  }
}
