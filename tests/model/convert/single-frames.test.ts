/** A clip of one frame, through the model's own code from the full-size pixels on. */
import { describe, expect, test } from 'vitest'

import { openStages } from '../../../src/model/verify/stages.js'
import { caseNames, convertCase, readCase } from '../../support/cases.js'
import { goldenTensor, relativeError } from '../../support/golden.js'
import { framesOf } from '../../support/pictures.js'

const isPicture = (name: string): boolean => readCase(name).golden.reference === 'factory'

/** The visual tokens of the case's first frame alone. */
async function connectFirst(name: string) {
  const reference = readCase(name)
  const bundle = await convertCase(reference, 'fused')
  try {
    const stages = await openStages(bundle.directory)
    const visual = await stages.connect(await stages.encode(framesOf(reference).slice(0, 1)))
    return { visual, reference }
  } finally {
    bundle.remove()
  }
}

describe('a picture becomes the visual tokens of the original code', () => {
  test.each(caseNames.filter(isPicture))('%s', async (name) => {
    const { visual, reference } = await connectFirst(name)
    expect(relativeError(visual.data, goldenTensor(reference.tensors, 'connector').data)).toBeLessThan(1e-3)
  })
})

describe('a frame of a video becomes visual tokens by itself', () => {
  test.each(caseNames.filter((name) => !isPicture(name)))('%s', async (name) => {
    const { visual } = await connectFirst(name)
    expect(visual.tokens).toBeGreaterThan(0)
    expect(visual.data.every(Number.isFinite)).toBe(true)
  })
})
