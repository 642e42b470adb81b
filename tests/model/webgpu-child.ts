/**
 * Asks models the same on the processor and on `webgpu`, and prints what came of it: a line of JSON for each. A process
 * of its own, as a driver that crashes ends it; one for all, as shaders are compiled once for each process.
 *
 * Its arguments are names of reference cases, or `demo`, each with `:` and a precision behind it.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { convertCheckpoint } from '../../src/model/convert.js'
import { StreamError } from '../../src/errors.js'
import { floatFeatures } from '../../src/model/feature-values.js'
import { loadRuntime } from '../../src/model/load.js'
import type { Pixels } from '../../src/model/model.js'
import type { Precision } from '../../src/model/precision.js'
import { readCase } from '../support/cases.js'
import { relativeError } from '../support/golden.js'
import { framesOf } from '../support/pictures.js'

export interface WebGpuOutcome {
  /** As the model says where it ran. */
  readonly device: string
  /** From the processor's: see `relativeError`. */
  readonly featuresError: number
  readonly visualError: number
  /** Token ids of each answer. */
  readonly cpu: readonly (readonly number[])[]
  readonly webgpu: readonly (readonly number[])[]
}

interface Subject {
  readonly checkpoint: string
  readonly pictures: readonly Pixels[]
  readonly questions: readonly string[]
  readonly newTokens: number
}

for (const [name = '', precision] of process.argv.slice(2).map((word) => word.split(':'))) {
  const subject = name === 'demo' ? demo() : referenceCase(name)
  const folder = mkdtempSync(join(tmpdir(), 'webgpu-'))
  try {
    await convertCheckpoint(subject.checkpoint, join(folder, 'bundle'), {
      attention: 'primitive',
      precision: precision as Precision,
    })
    process.stdout.write(`${JSON.stringify(await compare(join(folder, 'bundle'), subject))}\n`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function compare(bundle: string, subject: Subject): Promise<WebGpuOutcome> {
  const [cpu, webgpu] = [await answersOn('cpu', bundle, subject), await answersOn('webgpu', bundle, subject)]
  return {
    device: webgpu.device,
    featuresError: relativeError(webgpu.features, cpu.features),
    visualError: relativeError(webgpu.visual, cpu.visual),
    cpu: cpu.tokens,
    webgpu: webgpu.tokens,
  }
}

async function answersOn(device: 'cpu' | 'webgpu', bundle: string, { pictures, questions, newTokens }: Subject) {
  const model = await loadRuntime(bundle, { device, threads: 1 })
  try {
    const features = await model.encode(pictures)
    const visual = await model.connect(features)
    const tokens: (readonly number[])[] = []
    for (const question of questions) {
      tokens.push((await model.generate(visual, question, { maxNewTokens: newTokens })).tokenIds)
    }
    if (device === 'webgpu') await expectRefusal(bundle)
    return { device: model.info.device, features: features.flatMap(({ data }) => [...floatFeatures(data)]), visual: visual.data, tokens }
  } finally {
    await model.dispose()
  }
}

/** A second model on the device would end this process. */
async function expectRefusal(bundle: string): Promise<void> {
  const refusal = await loadRuntime(bundle, { device: 'webgpu' }).catch((error: unknown) => error)
  if (!(refusal instanceof StreamError && refusal.code === 'DEVICE_UNAVAILABLE')) throw new Error('A second model was let in.')
}

function referenceCase(name: string): Subject {
  const reference = readCase(name)
  const { checkpoint, golden } = reference
  const questions = Object.values(golden.questions).map(({ question }) => question)
  return { checkpoint, pictures: framesOf(reference), questions, newTokens: golden.newTokens }
}

/** A square that moves over a dark ground. */
function demo(): Subject {
  const [width, height] = [96, 96]
  const pictures = Array.from({ length: 16 }, (_, frame) => {
    const isInside = (pixel: number): boolean => (pixel % width) - 4 * frame < 24 && pixel % width >= 4 * frame && pixel > 24 * width && pixel < 60 * width
    const data = Uint8Array.from({ length: width * height * 3 }, (_, place) => (isInside(Math.floor(place / 3)) ? 230 : 16))
    return { data, width, height }
  })
  return { checkpoint: 'models/demo', pictures, questions: ['What shape is there?', 'Is it moving?'], newTokens: 24 }
}
