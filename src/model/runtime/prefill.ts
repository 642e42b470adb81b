import { embedTokens } from './embedding.js'
import type { DecoderSequence, LanguageDecoder } from './language-decoder.js'
import type { PrefixCache } from './prefix-cache.js'
import type { PromptLayout } from './prompt-layout.js'
import type { GenerateJob } from './protocol.js'
import type { GraphSession } from './session.js'

/** What prompts are taken in with. */
export interface PrefillSetup {
  readonly embedTokens: GraphSession
  readonly decoder: LanguageDecoder
  /** Width of the language model. */
  readonly width: number
  readonly prefixes: PrefixCache
  /** Most positions in one run of the decoder. */
  readonly chunk: number
}

/** A prompt that was taken in. */
export interface Prefilled {
  readonly sequence: DecoderSequence
  /** Logits after its last position, float32 `[vocabulary]`. */
  readonly logits: Float32Array
}

/** A part of a prompt that is run by itself. */
interface Piece {
  /** Positions of the prompt up to this piece's end. */
  readonly end: number
  /** Names all that lies before its end, where others may begin with that, too. */
  readonly key?: string
  /** float32 `[rows, width]`. */
  readonly embed: () => Promise<Float32Array>
}

/**
 * Takes a prompt in, one run of the decoder a step.
 *
 * ```
 * text before the picture │ visual tokens │ the question  │ its answer, the next question │ …
 * once a process          │ once a clip   │ once a question, in a conversation each once
 * ```
 *
 * What was taken in before is begun with. Pieces are run one by one and cut into chunks in the same way whether
 * or not something is there already: an answer doesn't depend on what was asked before, not in its last bit.
 *
 * @throws {StreamError} `MODEL_FAILED`.
 */
export async function* prefill(setup: PrefillSetup, job: GenerateJob, layout: PromptLayout): AsyncGenerator<void, Prefilled> {
  const pieces = piecesOf(setup, job, layout)
  // Only the one before the last is made room for the whole prompt: what many share is kept small.
  const roomFor = (place: number): number => (place < pieces.length - 2 ? (pieces[place]?.end ?? 0) : layout.length)
  let { sequence, place } = beginWithKnown(setup, pieces, roomFor)
  let logits: Float32Array | undefined
  try {
    for (; place < pieces.length; place += 1) {
      const piece = pieces[place]
      if (piece === undefined) break
      logits = yield* runChunks(setup, sequence, await piece.embed())
      if (piece.key === undefined) continue
      // A broken beginning must not break whatever begins with it later.
      if (!logits.some(Number.isNaN)) setup.prefixes.put(piece.key, sequence.prefix())
      if (roomFor(place) < roomFor(place + 1)) sequence = moved(sequence, roomFor(place + 1))
      yield
    }
    if (logits === undefined) throw new Error('A prompt has at least one position.')
    return { sequence, logits }
  } finally {
    // Left by an error, or by a caller that was told to stop.
    if (place < pieces.length) sequence.dispose()
  }
}

/**
 * The pieces of a prompt that aren't empty. The last one has no key, as its logits are what all this is for; but in a
 * conversation, where it is the beginning of the next round.
 */
function piecesOf({ embedTokens: session, width }: PrefillSetup, job: GenerateJob, layout: PromptLayout): readonly Piece[] {
  const { before, visualTokens, after, ends } = layout
  const textKey = before.join()
  const clipKey = `${job.clip} ${visualTokens} ${textKey}`
  const start = before.length + visualTokens
  const rounds = [...ends, after.length].map((end, place): Piece => ({
    end: start + end,
    key: `${clipKey} ${after.slice(0, end).join()}`,
    embed: () => embedTokens(session, after.slice(ends[place - 1] ?? 0, end), width),
  }))
  const pieces: readonly Piece[] = [
    { end: before.length, key: textKey, embed: () => embedTokens(session, before, width) },
    { end: start, key: clipKey, embed: () => Promise.resolve(job.visual.data.slice(0, visualTokens * width)) },
    ...rounds,
  ]
  const filled = pieces.filter(({ end }, place) => end > (pieces[place - 1]?.end ?? 0))
  const isKept = (place: number): boolean => place < filled.length - 1 || job.isConversation === true
  return filled.map((piece, place) => (isKept(place) ? piece : { end: piece.end, embed: piece.embed }))
}

/** The longest beginning that was taken in before, and the place of the first piece that wasn't. */
function beginWithKnown(
  { prefixes, decoder }: PrefillSetup,
  pieces: readonly Piece[],
  roomFor: (place: number) => number,
): { sequence: DecoderSequence; place: number } {
  for (let place = pieces.length - 1; place > 0; place -= 1) {
    const key = pieces[place - 1]?.key
    const known = key === undefined ? undefined : prefixes.get(key)
    if (known !== undefined) return { sequence: known.begin(roomFor(place)), place }
  }
  return { sequence: decoder.begin(roomFor(0)), place: 0 }
}

async function* runChunks(
  { width, chunk }: PrefillSetup,
  sequence: DecoderSequence,
  embeddings: Float32Array,
): AsyncGenerator<void, Float32Array> {
  const size = chunk * width
  for (let at = 0; ; at += size) {
    // A run wants memory of its own: `slice` copies.
    const logits = await sequence.append(embeddings.slice(at, at + size))
    if (at + size >= embeddings.length) return logits
    yield
  }
}

/** The same sequence with room for more. */
function moved(sequence: DecoderSequence, room: number): DecoderSequence {
  const prefix = sequence.prefix()
  const next = prefix.begin(room)
  prefix.dispose()
  sequence.dispose()
  return next
}
