import type { VerifyClip } from '../../src/model/verify/compare.js'
import { askAbout } from './questions.js'
import { createRenderer } from './render.js'
import { createRng } from './rng.js'
import { createScene } from './scene.js'

const QUESTION_SEED = 0x51ed
const FRAMES = 16

/** Clips as the demo model knows them, drawn and not encoded: 16 frames spread over each scene, with its questions. */
export async function* drawnClips(firstSeed: number, count: number): AsyncGenerator<VerifyClip> {
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const scene = createScene(seed)
    const draw = createRenderer(scene)
    const step = (scene.frameCount - 1) / (FRAMES - 1)
    const pictures = Array.from({ length: FRAMES }, (_, place) => {
      return { data: draw(Math.floor(place * step)), width: scene.width, height: scene.height }
    })
    const questions = askAbout(scene, createRng(seed).fork(QUESTION_SEED)).map(({ question }) => question)
    yield await Promise.resolve({ pictures, questions })
  }
}
