import type { Rng } from './rng.js'
import type { Scene, Shape } from './scene.js'
import type { Appearance, Motion } from './traits.js'

export const QUESTION_KINDS = ['describe', 'colour', 'shape', 'direction', 'count', 'change', 'appear'] as const
export type QuestionKind = (typeof QUESTION_KINDS)[number]

/** A question about a clip and its only right answer. */
export interface Question {
  readonly kind: QuestionKind
  readonly question: string
  readonly answer: string
}

type Wordings = readonly [string, ...string[]]

/** Ways to ask. `{kind}` names a shape: that is how a question picks one of two. */
const WORDINGS = {
  describe: ['Describe the video.', 'What happens in the video?', 'What do you see in this video?', 'Describe this clip.', 'What is shown in the video?'],
  colour: ['What color is the shape?', 'What colour is the shape?', 'What is the color of the shape?', 'What is the colour of the shape?', 'Which color does the shape have?', 'Which colour does the shape have?'],
  colourOf: ['What color is the {kind}?', 'What colour is the {kind}?', 'What is the color of the {kind}?', 'What is the colour of the {kind}?', 'Which color does the {kind} have?', 'Which colour does the {kind} have?'],
  shape: ['What shape is it?', 'What shape is in the video?', 'Which shape do you see?', 'What shape does the video show?'],
  direction: ['Which way does the shape move?', 'In which direction does the shape move?', 'Where does the shape move?', 'Which way does it move?'],
  directionOf: ['Which way does the {kind} move?', 'In which direction does the {kind} move?', 'Where does the {kind} move?'],
  count: ['How many shapes are there?', 'How many shapes are in the video?', 'How many shapes do you see?', 'Count the shapes.'],
  change: ['Does the color change?', 'Does the colour change?', 'Does a shape change its color?', 'Does a shape change its colour?', 'Does any shape change color?', 'Does any shape change colour?'],
  appear: ['When does the second shape appear?', 'When does the second shape come in?', 'At what point does the second shape appear?'],
} as const satisfies Record<string, Wordings>

const DIRECTION_ANSWERS: Readonly<Record<Motion, string>> = {
  left: 'Left.',
  right: 'Right.',
  up: 'Up.',
  down: 'Down.',
  still: 'It stays still.',
}

const APPEARANCE_ANSWERS: Readonly<Record<Appearance, string>> = {
  beginning: 'At the beginning.',
  middle: 'In the middle.',
  end: 'At the end.',
}

const MOTION_PHRASES: Readonly<Record<Motion, string>> = {
  left: 'moves to the left',
  right: 'moves to the right',
  up: 'moves up',
  down: 'moves down',
  still: 'stays still',
}

/**
 * One question of each kind that has a well-defined answer in the scene.
 *
 * A shape that changes colour isn't asked for its colour. Of two shapes one is picked by its kind; "which shape is
 * red?" is not asked (the model card says why). Only clips with two shapes are asked when the second one appears.
 */
export function askAbout(scene: Scene, rng: Rng): readonly Question[] {
  const [only, second] = scene.shapes
  const ask = (kind: QuestionKind, wordings: Wordings, answer: string, shape?: Shape): Question => {
    return { kind, question: rng.pick(wordings).replace('{kind}', shape?.kind ?? 'shape'), answer }
  }
  const oneOf = (): Shape => (second === undefined ? only : rng.pick([only, second]))
  const steady = scene.shapes.filter((shape) => shape.change === undefined)
  const [steadyOne, ...otherSteady] = steady
  const changing = scene.shapes.find((shape) => shape.change !== undefined)
  // A lone shape can be asked for either way; one of two has to be named.
  const byName = second !== undefined || rng.chance(0.4)

  const questions: Question[] = [ask('describe', WORDINGS.describe, describe(scene))]
  if (steadyOne !== undefined) {
    const coloured = rng.pick([steadyOne, ...otherSteady])
    questions.push(ask('colour', byName ? WORDINGS.colourOf : WORDINGS.colour, `${capitalised(coloured.colour)}.`, coloured))
  }
  if (second === undefined) questions.push(ask('shape', WORDINGS.shape, `${capitalised(only.kind)}.`))
  const mover = oneOf()
  questions.push(ask('direction', byName ? WORDINGS.directionOf : WORDINGS.direction, DIRECTION_ANSWERS[mover.motion], mover))
  questions.push(ask('count', WORDINGS.count, second === undefined ? 'One.' : 'Two.'))
  questions.push(ask('change', WORDINGS.change, changing?.change === undefined ? 'No.' : `Yes, from ${changing.colour} to ${changing.change.colour}.`))
  if (second !== undefined) questions.push(ask('appear', WORDINGS.appear, APPEARANCE_ANSWERS[second.appears]))
  return questions
}

/** The whole scene in words: a sentence for each shape. */
export function describe(scene: Scene): string {
  return scene.shapes.map(describeShape).join(' ')
}

function describeShape({ size, colour, kind, motion, change, appears }: Shape): string {
  const arrival = appears === 'middle' ? ' appears in the middle and' : appears === 'end' ? ' appears at the end and' : ''
  const turn = change === undefined ? '' : ` and turns ${change.colour}`
  return `A ${size} ${colour} ${kind}${arrival} ${MOTION_PHRASES[motion]}${turn}.`
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
