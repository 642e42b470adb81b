import { expect, test } from 'vitest'
import { QUESTION_KINDS, askAbout, describe } from '../../../scripts/demo-model/questions.js'
import { createRng } from '../../../scripts/demo-model/rng.js'
import { createScene } from '../../../scripts/demo-model/scene.js'
import type { Scene, Shape } from '../../../scripts/demo-model/scene.js'

const circle: Shape = {
  kind: 'circle',
  size: 'large',
  colour: 'red',
  appears: 'beginning',
  appearsAt: 0,
  motion: 'right',
  path: { extent: 40, from: [30, 50], to: [80, 50] },
}
const star: Shape = { ...circle, kind: 'star', size: 'small', colour: 'blue', appears: 'middle', appearsAt: 0.5, motion: 'still' }

function sceneOf(...shapes: [Shape] | [Shape, Shape]): Scene {
  return { ...createScene(1), shapes }
}

function answersTo(kind: string, scene: Scene): Set<string> {
  const rounds = Array.from({ length: 50 }, (_, seed) => askAbout(scene, createRng(seed)))
  return new Set(rounds.flat().filter((question) => question.kind === kind).map(({ answer }) => answer))
}

test('describes each shape in a sentence', () => {
  expect(describe(sceneOf(circle))).toBe('A large red circle moves to the right.')
  expect(describe(sceneOf({ ...circle, change: { colour: 'green', at: 0.5 } }))).toBe('A large red circle moves to the right and turns green.')
  expect(describe(sceneOf(circle, star))).toBe('A large red circle moves to the right. A small blue star appears in the middle and stays still.')
  expect(describe(sceneOf(circle, { ...star, appears: 'end' }))).toContain('A small blue star appears at the end and stays still.')
})

test('answers a lone shape’s questions', () => {
  const scene = sceneOf(circle)

  expect(answersTo('colour', scene)).toEqual(new Set(['Red.']))
  expect(answersTo('shape', scene)).toEqual(new Set(['Circle.']))
  expect(answersTo('direction', scene)).toEqual(new Set(['Right.']))
  expect(answersTo('count', scene)).toEqual(new Set(['One.']))
  expect(answersTo('change', scene)).toEqual(new Set(['No.']))
  expect(answersTo('appear', scene)).toEqual(new Set())
})

test('names the shape when there are two', () => {
  const scene = sceneOf(circle, star)
  const expected: Record<string, string> = { circle: 'Right.', star: 'It stays still.' }

  for (let seed = 0; seed < 50; seed += 1) {
    const direction = askAbout(scene, createRng(seed)).find(({ kind }) => kind === 'direction')
    const named = Object.keys(expected).find((kind) => direction?.question.includes(kind))
    expect(direction?.answer).toBe(expected[named ?? ''])
  }
  expect(answersTo('appear', scene)).toEqual(new Set(['In the middle.']))
  expect(answersTo('count', scene)).toEqual(new Set(['Two.']))
})

test('asks what shape it is only where there is one', () => {
  expect(answersTo('shape', sceneOf(circle))).toEqual(new Set(['Circle.']))
  expect(answersTo('shape', sceneOf(circle, star))).toEqual(new Set())
})

test('never asks for the colour of a shape that changes it', () => {
  const changing = sceneOf({ ...circle, change: { colour: 'green', at: 0.5 } }, { ...star, appears: 'beginning', appearsAt: 0 })

  expect(answersTo('colour', changing)).toEqual(new Set(['Blue.']))
  expect(answersTo('change', changing)).toEqual(new Set(['Yes, from red to green.']))
})

test('asks in both spellings, leaves no placeholder, and covers every kind', () => {
  const questions = Array.from({ length: 500 }, (_, seed) => askAbout(createScene(seed), createRng(seed))).flat()
  const texts = questions.map(({ question }) => question).join('\n')

  expect(texts).toContain('colour')
  expect(texts).toContain('color')
  expect(texts).not.toMatch(/[{}]/)
  expect(new Set(questions.map(({ kind }) => kind))).toEqual(new Set(QUESTION_KINDS))
})

test('the same seed asks the same', () => {
  expect(askAbout(createScene(5), createRng(9))).toEqual(askAbout(createScene(5), createRng(9)))
})
