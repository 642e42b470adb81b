import { Tensor } from 'onnxruntime-node'
import type { FrameFeatures } from '../../types.js'
import type { FeatureValues } from '../feature-values.js'
import { type Manifest, isFrameByFrame } from '../manifest.js'
import type { VisualTokens } from '../model.js'
import { featuresTensor } from './features.js'
import { joined } from './joined.js'
import type { CondensedFrame, ConnectJob, ConnectResult } from './protocol.js'
import { type GraphName, type GraphSession, type Tensors, floatOutput } from './session.js'

/** The sessions a clip goes through. */
export interface ConnectorSessions {
  readonly connector: GraphSession
  /** Where the connector condenses frames one by one in clips of a certain length: the one frame, and the joining of all. */
  readonly alone?: { readonly condense: GraphSession; readonly join: GraphSession }
}

/** Opens a bundle's connector, with the graphs for frames one by one where it has them. */
export async function openConnectors(
  { connector }: Pick<Manifest, 'connector'>,
  open: (graph: GraphName) => Promise<GraphSession>,
): Promise<ConnectorSessions> {
  const whole = await open('connector')
  if (typeof connector.framesAlone !== 'number') return { connector: whole }
  return { connector: whole, alone: { condense: await open('frameConnector'), join: await open('joinFrames') } }
}

/** Runs a graph with one output of floats. */
type RunGraph = (session: GraphSession, feeds: Tensors, output: string) => Promise<Float32Array>

/**
 * Connects a clip; each `yield` lies between two runs.
 *
 * ```
 * whole            [frames, tokens, visionWidth] ─ connector ──────────────────────► f32 [visual, width]
 * frame by frame   each: [1, tokens, visionWidth] ─ frame_connector ─┬ join_frames ─► f32 [visual, width]
 *                  connected before: nothing to run ─────────────────────┘
 * … of any number  the same, with connector as frame_connector, and nothing to run behind it
 * ```
 *
 * A frame is connected by itself also where all of a clip are new: what comes out is the same to the bit,
 * whatever was there before.
 *
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function* connectClip(
  sessions: ConnectorSessions,
  { frames }: ConnectJob,
  manifest: Pick<Manifest, 'connector' | 'languageModel'>,
): AsyncGenerator<void, ConnectResult> {
  const { width } = manifest.languageModel
  let connectMs = 0
  const run: RunGraph = async (session, feeds, output) => {
    const startedAt = performance.now()
    const data = floatOutput(session, await session.run(feeds), output)
    connectMs += performance.now() - startedAt
    return data
  }
  const visual = (data: Float32Array): VisualTokens => ({ data, tokens: data.length / width, width, connectMs })

  if (!isFrameByFrame(manifest, frames.length)) {
    const features = featuresTensor(frames.map(expectFeatures))
    return { visual: visual(await run(sessions.connector, { features }, 'visual_tokens')), condensed: [] }
  }
  const { rows, condensed } = yield* condenseFrames(sessions, frames, run)
  const all = joined(Float32Array, rows)
  if (sessions.alone === undefined) return { visual: visual(all), condensed }
  const frameTokens = new Tensor('float32', all, [all.length / width, width])
  return { visual: visual(await run(sessions.alone.join, { frame_tokens: frameTokens }, 'visual_tokens')), condensed }
}

/** Condenses what was not before: `rows` of all frames, in order; `condensed` of those that are new. */
async function* condenseFrames(
  { connector, alone }: ConnectorSessions,
  frames: ConnectJob['frames'],
  run: RunGraph,
): AsyncGenerator<void, { rows: Float32Array[]; condensed: CondensedFrame[] }> {
  const [session, output] = alone === undefined ? [connector, 'visual_tokens'] : [alone.condense, 'frame_tokens']
  const [rows, fresh]: [Float32Array[], CondensedFrame[]] = [[], []]
  // A still camera's frames share their features: what is in a clip twice is condensed once, too.
  const known = new Map<FeatureValues, Float32Array>()
  for (const frame of frames) {
    if ('condensed' in frame) {
      rows.push(frame.condensed)
      continue
    }
    const before = known.get(frame.data)
    const condensed = before ?? (await run(session, { features: featuresTensor([frame]) }, output))
    known.set(frame.data, condensed)
    rows.push(condensed)
    fresh.push({ condensed })
    if (before === undefined) yield
  }
  return { rows, condensed: fresh }
}

function expectFeatures(frame: FrameFeatures | CondensedFrame): FrameFeatures {
  if ('data' in frame) return frame
  throw new Error('A frame was condensed for a clip of another length.')
}
