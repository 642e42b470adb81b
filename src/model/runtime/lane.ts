/** One kind of work that a model's thread does; several take turns. */
export interface Lane {
  /** Whether a step would do anything now. */
  readonly hasWork: boolean
  /**
   * Does a bounded piece of the work. Never rejects: what fails is told to whoever asked for it.
   */
  step(): Promise<void>
}

/** How a job is listened to and stopped. */
export interface JobHooks {
  readonly signal: AbortSignal
  /** Gets each new piece of an answer's text. */
  readonly onDelta: (text: string) => void
  /** Called when the job is first worked on. */
  readonly onBegin: () => void
}
