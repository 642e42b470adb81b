import type { Model } from '../model/model.js'
import type { Question } from '../types.js'

/**
 * What happens while a question is answered; told apart by `kind`. Several questions are under way at once: events of
 * one `id` are in order, those of different ones come between each other.
 */
export type AnswerEvent =
  /** The language model begins. Comes again, with the same `id`, where it tries again: forget the deltas so far. */
  | { readonly kind: 'answer-start'; readonly id: string; readonly streamId: string; readonly question: Question }
  /** A new piece of the answer's text; whole characters. */
  | { readonly kind: 'answer-delta'; readonly id: string; readonly streamId: string; readonly text: string }
  /** The question is settled; its result follows. */
  | {
      readonly kind: 'answer-end'
      readonly id: string
      readonly streamId: string
      readonly outcome: 'stop' | 'length' | 'error'
    }

/** What a run tells its operators. */
export interface RunContext {
  /** Name of the pipeline, for results. */
  readonly pipeline: string
  /** Takes events as they happen. */
  readonly emit: (event: AnswerEvent) => void
}

/** A model as a run hands it to the operators: it also says for which run it works. */
export interface RunModel extends Model {
  readonly run: RunContext
}

/** Binds a model to a run. */
export function bindModel(model: Model, run: RunContext): RunModel {
  return extendModel(model, { run })
}

/** A model with more to it. The model itself may be a class: its methods stay bound to it. */
export function extendModel<Extra extends object>(model: Model, extra: Extra): Model & Extra {
  return {
    info: model.info,
    encode: (pictures, options) => model.encode(pictures, options),
    connect: (frames, options) => model.connect(frames, options),
    generate: (visual, question, options) => model.generate(visual, question, options),
    dispose: () => model.dispose(),
    ...extra,
  }
}
