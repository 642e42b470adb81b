import { Tensor } from 'onnxruntime-node'
import type { FrameFeatures } from '../../types.js'
import type { Manifest } from '../manifest.js'
import type { VisualTokens } from '../model.js'
import { joined } from './joined.js'
import type { CondensedFrame, ConnectJob, ConnectResult } from './protocol.js'
import { type GraphName, type GraphSession, type Tensors, floatOutput } from './session.js'

/** The sessions a clip goes through. */
export interface ConnectorSessions {
  readonly connector: GraphSession
  /** Where the connector condenses frames one by one: the one frame, and the joining of all. */
  readonly alone?: { readonly condense: GraphSession; readonly join: GraphSession }
}

/** Opens a bundle's connector, with the graphs for frames one by one where it has them. */
export async function openConnectors(
  { connector }: Pick<Manifest, 'connector'>,
  open: (graph: GraphName) => Promise<GraphSession>,
): Promise<ConnectorSessions> {
  const whole = await open('connector')
  if (connector.framesAlone === undefined) return { connector: whole }
  return { connector: whole, alone: { condense: await open('frameConnector'), join: await open('joinFrames') } }
}

/**
 * Connects a clip; each `yield` lies between two runs.
 *
 * ```
 * any number of frames      f32 [frames, tokens, visionWidth] ─ connector ──────────────────────► f32 [visual, width]
 * `framesAlone` of them     each: f32 [1, tokens, visionWidth] ─ frame_connector ─┬ join_frames ─► f32 [visual, width]
 *                           condensed before: nothing to run ─────────────────────┘
 * ```
 *
 * A frame is condensed by itself also where all of a clip are new: what comes out is the same to the bit,
 * whatever was there before.
 *
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function* connectClip(
  { connector, alone }: ConnectorSessions,
  { frames }: ConnectJob,
  manifest: Pick<Manifest, 'connector' | 'languageModel'>,
): AsyncGenerator<void, ConnectResult> {
  const { width } = manifest.languageModel
  let connectMs = 0
  const timed = async (session: GraphSession, feeds: Tensors, output: string): Promise<Float32Array> => {
    const startedAt = performance.now()
    const data = floatOutput(session, await session.run(feeds), output)
    connectMs += performance.now() - startedAt
    return data
  }
  const visual = (data: Float32Array): VisualTokens => ({ data, tokens: data.length / width, width, connectMs })

  if (alone === undefined || frames.length !== manifest.connector.framesAlone) {
    const features = stack(frames.map(expectFeatures))
    return { visual: visual(await timed(connector, { features }, 'visual_tokens')), condensed: [] }
  }
  const [rows, fresh]: [Float32Array[], CondensedFrame[]] = [[], []]
  // A still camera's frames share their features: what is in a clip twice is condensed once, too.
  const known = new Map<Float32Array, Float32Array>()
  for (const frame of frames) {
    if ('condensed' in frame) {
      rows.push(frame.condensed)
      continue
    }
    const before = known.get(frame.data)
    const condensed = before ?? (await timed(alone.condense, { features: stack([frame]) }, 'frame_tokens'))
    known.set(frame.data, condensed)
    rows.push(condensed)
    fresh.push({ condensed })
    if (before === undefined) yield
  }
  const all = joined(Float32Array, rows)
  const frameTokens = new Tensor('float32', all, [all.length / width, width])
  return { visual: visual(await timed(alone.join, { frame_tokens: frameTokens }, 'visual_tokens')), condensed: fresh }
}

function expectFeatures(frame: FrameFeatures | CondensedFrame): FrameFeatures {
  if ('data' in frame) return frame
  throw new Error('A frame was condensed for a clip of another length.')
}

function stack(frames: readonly FrameFeatures[]): Tensor {
  const { tokens, width } = frames[0] ?? { tokens: 0, width: 0 }
  return new Tensor('float32', joined(Float32Array, frames.map(({ data }) => data)), [frames.length, tokens, width])
}
