/**
 * Makes clips for training or for measuring the demo model.
 *
 * ```
 * npx jiti make-dataset.ts --out DIR --first-seed 1 --clips 1000 [--whole]
 * ```
 *
 * Without `--whole`, only the 16 sampled frames of each clip are drawn and encoded, many clips to a file (one file for
 * each frame size and quality, a keyframe at each clip's start): seven times less work, the same compression artefacts.
 * With `--whole`, each clip is its own mp4 with all its frames, as a user would have it.
 *
 * `clips.jsonl` says which clip lies where, with what each sampled frame shows and with questions and answers.
 */
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { encodeFrames, encodeScene } from './encode.js'
import { centreAt } from './motion.js'
import { askAbout } from './questions.js'
import type { Question } from './questions.js'
import { colourAt, createRenderer, isVisible, timeOf } from './render.js'
import { createRng } from './rng.js'
import { createScene } from './scene.js'
import type { Scene } from './scene.js'
import { COLOURS, KINDS, SIZES } from './traits.js'

const SAMPLED_FRAMES = 16
/** Question rounds for a clip: other wordings, other shapes asked for. */
const ROUNDS = 3
const ROUND_SEED = 0x51ed

/** Kind, size and colour as places in their lists; the centre's place and the box's side as parts of the frame. */
type ShapeLabel = readonly [kind: number, size: number, colour: number, x: number, y: number, width: number, height: number]

interface ClipRecord {
  readonly seed: number
  readonly file: string
  /** Where the clip's frames lie in the file. */
  readonly frames: readonly number[]
  readonly width: number
  readonly height: number
  readonly labels: readonly (readonly ShapeLabel[])[]
  readonly rounds: readonly (readonly Question[])[]
}

/** The reference's rule for `count` frames out of `total`: numpy's linspace, rounded down. */
function sampledFrames(total: number, count: number): readonly number[] {
  const step = (total - 1) / (count - 1)
  return Array.from({ length: count }, (_, index) => (index === count - 1 ? total - 1 : Math.floor(index * step)))
}

function labelsOf(scene: Scene, frame: number): readonly ShapeLabel[] {
  const time = timeOf(scene, frame)
  const part = (value: number): number => Math.round(value * 1000) / 1000
  return scene.shapes
    .filter((shape) => isVisible(shape, time))
    .map((shape): ShapeLabel => {
      const [x, y] = centreAt(shape.path, shape.appearsAt, time)
      const { extent } = shape.path
      return [
        KINDS.indexOf(shape.kind),
        SIZES.indexOf(shape.size),
        COLOURS.indexOf(colourAt(shape, time)),
        part(x / scene.width),
        part(y / scene.height),
        part(extent / scene.width),
        part(extent / scene.height),
      ]
    })
}

function recordOf(scene: Scene, file: string, frames: readonly number[]): ClipRecord {
  const shown = sampledFrames(scene.frameCount, SAMPLED_FRAMES)
  return {
    seed: scene.seed,
    file,
    frames,
    width: scene.width,
    height: scene.height,
    labels: shown.map((frame) => labelsOf(scene, frame)),
    rounds: Array.from({ length: ROUNDS }, (_, round) => askAbout(scene, createRng(scene.seed).fork(ROUND_SEED + round))),
  }
}

function* sampledPictures(scenes: readonly Scene[]): Generator<Uint8Array> {
  for (const scene of scenes) {
    const render = createRenderer(scene)
    for (const frame of sampledFrames(scene.frameCount, SAMPLED_FRAMES)) yield render(frame)
  }
}

/** A piece of work: writes one file, gives the records of the clips in it. */
type Job = () => Promise<readonly ClipRecord[]>

function wholeClipJobs(out: string, scenes: readonly Scene[]): readonly Job[] {
  return scenes.map((scene) => async () => {
    const file = `clip-${scene.seed}.mp4`
    await encodeScene(join(out, file), scene)
    return [recordOf(scene, file, sampledFrames(scene.frameCount, SAMPLED_FRAMES))]
  })
}

function batchJobs(out: string, scenes: readonly Scene[]): readonly Job[] {
  const groups = new Map<string, Scene[]>()
  for (const scene of scenes) {
    const name = `${scene.width}x${scene.height}-${scene.crf}`
    groups.set(name, [...(groups.get(name) ?? []), scene])
  }
  return [...groups].map(([name, members]) => async () => {
    const file = `batch-${name}.mp4`
    const [first] = members
    if (first === undefined) return []
    const { width, height, crf } = first
    const options = { width, height, crf, framesPerSecond: 25, keyframeEvery: SAMPLED_FRAMES }
    await encodeFrames(join(out, file), sampledPictures(members), options)
    return members.map((scene, place) =>
      recordOf(scene, file, Array.from({ length: SAMPLED_FRAMES }, (_, index) => place * SAMPLED_FRAMES + index)),
    )
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      out: { type: 'string' },
      'first-seed': { type: 'string', default: '1' },
      clips: { type: 'string', default: '1000' },
      jobs: { type: 'string', default: `${availableParallelism()}` },
      whole: { type: 'boolean', default: false },
    },
  })
  if (values.out === undefined) throw new Error('Say where to write: --out DIR.')
  const { out } = values
  const firstSeed = Number(values['first-seed'])
  await mkdir(out, { recursive: true })

  const scenes = Array.from({ length: Number(values.clips) }, (_, index) => createScene(firstSeed + index))
  const jobs = [...(values.whole ? wholeClipJobs(out, scenes) : batchJobs(out, scenes))]
  const list = createWriteStream(join(out, 'clips.jsonl'))
  const work = async (): Promise<void> => {
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop()) {
      for (const record of await job()) list.write(`${JSON.stringify(record)}\n`)
    }
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  await new Promise<void>((resolve) => list.end(resolve))
}

await main()
