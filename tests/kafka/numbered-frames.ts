import type { IHeaders } from 'kafkajs'
import sharp from 'sharp'

/** The window that all fault tests use: each frame is in two of them. */
export const WINDOW = { frames: 4, every: 2 } as const

/** Streams of numbered frames, one a second of media time. */
export interface Footage {
  readonly streams: number
  /** Frames of each stream; an even number leaves no window cut short. */
  readonly frames: number
}

export interface FrameMessage {
  readonly stream: number
  readonly key: string
  readonly value: Buffer
  readonly headers: IHeaders
}

export const streamName = (stream: number): string => `camera-${String(stream).padStart(2, '0')}`

/** The messages of the frames from `first` on, those of one moment beside each other. */
export async function footage({ streams, frames }: Footage, first = 0): Promise<readonly FrameMessage[]> {
  const messages: FrameMessage[] = []
  for (let frame = first; frame < frames; frame += 1) {
    const value = await numberedPicture(frame)
    const headers = { 'content-type': 'image/png', 'pts-ms': String(frame * 1000) }
    for (let stream = 0; stream < streams; stream += 1) messages.push({ stream, key: streamName(stream), value, headers })
  }
  return messages
}

/** What must be answered, each answer as `answerText` shows it: told from the footage alone. */
export function expectedAnswers({ streams, frames }: Footage, questions: readonly string[]): readonly string[] {
  const answers: string[] = []
  for (let stream = 0; stream < streams; stream += 1) {
    for (let begin = 0; begin + WINDOW.frames <= frames; begin += WINDOW.every) {
      const numbers = Array.from({ length: WINDOW.frames }, (_, place) => begin + place).join(' ')
      for (const question of questions) answers.push(`${streamName(stream)}: ${question} ${numbers}`)
    }
  }
  return answers
}

const pictures = new Map<number, Promise<Buffer>>()

/** A picture of one colour that stands for a number below 65,536. */
function numberedPicture(number: number): Promise<Buffer> {
  const background = { r: number >> 8, g: number & 255, b: 0 }
  const picture = pictures.get(number) ?? sharp({ create: { width: 8, height: 8, channels: 3, background } }).png().toBuffer()
  pictures.set(number, picture)
  return picture
}
