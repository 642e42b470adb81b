import { runScript } from './child.js'
import type { Row } from './measure.js'
import { type StreamsCost, streamsCostSchema } from './streams-cost.js'

/** How streams are run: frames come one a second, and count after those of each stream's first window. */
export interface StreamsBench {
  /** The fewest and the most streams at once. */
  readonly counts: readonly [few: number, many: number]
  /** Frames of all together, as many with few streams as with many, so that both sides give as many answers. */
  readonly frames: number
  /** Frames of each of the four streams whose cost a core is compared with. */
  readonly steadyFrames: number
  /** Runs of each, in turn; the one in the middle by CPU counts. */
  readonly rounds: number
}

const STEADY_STREAMS = 4

/** Runs the demo model on few and on many streams, with one thread for the model; each run is a process of its own. */
export async function benchStreams({ counts: [few, many], frames, steadyFrames, rounds }: StreamsBench): Promise<readonly Row[]> {
  const [steady, least, most]: [StreamsCost[], StreamsCost[], StreamsCost[]] = [[], [], []]
  for (let round = 0; round < rounds; round += 1) {
    steady.push(await runStreams(STEADY_STREAMS, steadyFrames))
    least.push(await runStreams(few, frames / few))
    most.push(await runStreams(many, frames / many))
  }
  return [sustainedRow(middle(steady)), ...growthRows({ few, many, least: middle(least), most: middle(most) })]
}

/** The run in the middle by the CPU it took. */
function middle(costs: readonly StreamsCost[]): StreamsCost {
  const sorted = costs.toSorted((one, other) => one.cpuSeconds - other.cpuSeconds)
  const [found] = sorted.slice(Math.floor((sorted.length - 1) / 2))
  if (found !== undefined) return found
  throw new Error('No run.')
}

async function runStreams(streams: number, frames: number): Promise<StreamsCost> {
  const outcome = await runScript('streams-run.ts', ['--streams', String(streams), '--frames', String(frames)], { schema: streamsCostSchema })
  if (outcome.kind === 'done') return outcome.result
  throw new Error('The streams did not come to their end: see above.')
}

function sustainedRow(cost: StreamsCost): Row {
  return {
    what: 'demo model, 16-frame windows every 4 s, from the second on: streams at 1 fps that one core sustains, decoding not counted',
    figure: `${cost.mediaSeconds} s of video, ${cost.answers} answers`,
    against: `${cost.cpuSeconds.toFixed(1)} s of CPU`,
    ratio: cost.mediaSeconds / cost.cpuSeconds,
  }
}

/** What changes from few streams to many. */
export function growthRows({ few, many, least, most }: { few: number; many: number; least: StreamsCost; most: StreamsCost }): readonly Row[] {
  const perAnswer = ({ cpuSeconds, answers }: StreamsCost): number => (cpuSeconds / answers) * 1000
  const perStream = (most.peakBytes - least.peakBytes) / (many - few)
  return [
    {
      what: `CPU of an answer with ${many} streams against ${few}`,
      figure: `${perAnswer(most).toFixed(0)} ms (of ${most.answers})`,
      against: `${perAnswer(least).toFixed(0)} ms (of ${least.answers})`,
      ratio: perAnswer(most) / perAnswer(least),
      goal: { atMost: 1.1 },
    },
    {
      what: `memory with ${many} streams against ${few}`,
      figure: `${megabytes(most.peakBytes)} MB, ${(perStream / 1e6).toFixed(2)} MB a stream`,
      against: `${megabytes(least.peakBytes)} MB`,
      ratio: most.peakBytes / least.peakBytes,
    },
    {
      what: `event loop with ${many} streams under full load: delay that 99 % stay below`,
      figure: `${most.loopDelayMs.toFixed(1)} ms`,
      against: '10 ms',
      ratio: most.loopDelayMs / 10,
      goal: { atMost: 1 },
    },
  ]
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
