import { z } from 'zod'
import type { RunDecoder } from './run-joiner.js'
import { byteOf } from './sentencepiece/byte-piece.js'

const step = z.discriminatedUnion('type', [
  z.object({ type: z.literal('Replace'), pattern: z.object({ String: z.string() }), content: z.string() }),
  z.object({ type: z.literal('ByteFallback') }),
  z.object({ type: z.literal('Fuse') }),
  z.object({ type: z.literal('Strip'), content: z.string().length(1), start: z.int().min(0), stop: z.literal(0) }),
])

/** A step of decoding, as `tokenizer.json` has it. */
export type DecoderStep = z.infer<typeof step>

const sequence = z.object({ type: z.literal('Sequence'), decoders: z.array(step).min(1) })

/** The steps of a `decoder` of `tokenizer.json`; undefined where it isn't a sequence of those known here. */
export function readDecoderChain(decoder: unknown): readonly DecoderStep[] | undefined {
  const parsed = sequence.safeParse(decoder)
  if (!parsed.success) return undefined
  const { decoders } = parsed.data
  const fuse = decoders.findIndex(({ type }) => type === 'Fuse')
  const strip = decoders.findIndex(({ type }) => type === 'Strip')
  // Before everything is one text, it would strip each token.
  return strip !== -1 && (fuse === -1 || fuse > strip) ? undefined : decoders
}

/**
 * Decodes tokens as the `tokenizers` library does by the steps of its file: replacements in each token, runs of bytes to
 * text, and what is stripped from the beginning.
 *
 * A run of bytes that isn't valid UTF-8 as a whole is a U+FFFD a byte, so that its text is held back until it ends. Source:
 * tokenizers 0.19.1 `decoders/byte_fallback.rs`, `strip.rs`.
 */
export function createChainRun(chain: readonly DecoderStep[]): RunDecoder<string> {
  const replacements = chain.filter((each) => each.type === 'Replace')
  const strips = chain.filter((each) => each.type === 'Strip')
  const spellsBytes = chain.some(({ type }) => type === 'ByteFallback')
  const left = strips.map(({ content, start }) => ({ content, count: start }))
  const bytes: number[] = []

  const endBytes = (): string => {
    const text = bytes.length === 0 ? '' : textOf(bytes)
    bytes.length = 0
    return text
  }
  const strip = (text: string): string => left.reduce(stripFrom, text)

  return {
    push(token) {
      const replaced = replacements.reduce((text, { pattern, content }) => text.replaceAll(pattern.String, content), token)
      const byte = spellsBytes ? byteOf(replaced) : undefined
      if (byte === undefined) return strip(endBytes() + replaced)
      bytes.push(byte)
      return ''
    },
    finish: () => strip(endBytes()),
  }
}

function textOf(bytes: readonly number[]): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return '\ufffd'.repeat(bytes.length)
  }
}

/** Strips what is still to be stripped from the beginning of a text that comes in parts. */
function stripFrom(text: string, still: { readonly content: string; count: number }): string {
  let at = 0
  while (at < text.length && still.count > 0 && text.charAt(at) === still.content) {
    at += 1
    still.count -= 1
  }
  // Something else came: the beginning is over.
  if (at < text.length) still.count = 0
  return text.slice(at)
}
