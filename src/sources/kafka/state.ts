import { z } from 'zod'

import type { WindowMark } from '../../needs.js'

const mark = z.object({
  place: z.int().min(0),
  epoch: z.int().min(0),
  from: z.int().min(0).optional(),
  after: z.int().min(0).optional(),
  state: z.record(z.string(), z.number()),
})

const schema = z.object({
  v: z.literal(1),
  epoch: z.int().min(0).nullable(),
  ptsMs: z.number().nullable(),
  resume: z.int().min(0),
  lastMs: z.number().nullable(),
  windows: z.array(mark),
  answered: z.array(z.tuple([z.string(), z.int().min(0)])),
})

/** Where the next reader of a key goes on: the value of a record in the state topic, whose key is the stream's id. */
export interface KeyState {
  /** The epoch of the frame at `resume`; `null` where no stream of frames is open. */
  readonly epoch: number | null
  /** Media time of the last frame before `resume`, if it is of the same epoch. */
  readonly ptsMs: number | null
  /** Messages before this offset were dealt with; at most the offset behind the key's last one. */
  readonly resume: number
  /** The partition's time at the key's last message, in milliseconds since 1970: how long it has been silent goes by it. */
  readonly lastMs: number | null
  /** The window operators, as they were at `resume`. */
  readonly windows: readonly WindowMark[]
  /** Ids of results behind `resume` that were delivered, each with the offset from which its frames begin. */
  readonly answered: readonly (readonly [id: string, from: number])[]
}

/** Key of the record that lists dead letters; no stream's id holds a control character. */
export const DEAD_LETTERS_KEY = '\u0000dead-letters'

/** Key of the record that holds the partition's time. */
export const CLOCK_KEY = '\u0000clock'

/** Everything the state topic holds of a partition. */
export interface PartitionState {
  /** By the streams' ids. */
  readonly keys: ReadonlyMap<string, KeyState>
  /** Offsets of messages that became dead letters, not before the group's offset: they aren't to become some again. */
  readonly deadLetters: ReadonlySet<number>
  /** The partition's time (`PartitionClock`) at the group's offset. */
  readonly clockMs: number | undefined
}

/** The state of a partition, from the last value of each key. */
export function decodePartition(values: ReadonlyMap<string, string>): PartitionState {
  const keys = new Map<string, KeyState>()
  for (const [name, value] of values) {
    const state = decodeState(value)
    if (state !== undefined) keys.set(name, state)
  }
  return { keys, deadLetters: new Set(decodeDeadLetters(values.get(DEAD_LETTERS_KEY))), clockMs: decodeClock(values.get(CLOCK_KEY)) }
}

/** The partition's time as the value of a record; `null` before its first message. */
export function encodeClock(clockMs: number): string | null {
  return clockMs === -Infinity ? null : String(clockMs)
}

function decodeClock(value: string | undefined): number | undefined {
  const clockMs = Number(value ?? Number.NaN)
  return Number.isFinite(clockMs) ? clockMs : undefined
}

/** Offsets of dead letters as the value of a record; `null` where there is none. */
export function encodeDeadLetters(offsets: readonly number[]): string | null {
  return offsets.length === 0 ? null : JSON.stringify(offsets)
}

function decodeDeadLetters(value: string | undefined): readonly number[] {
  const list = z.array(z.int().min(0)).safeParse(value === undefined ? [] : parse(value))
  return list.success ? list.data : []
}

function parse(value: string): unknown {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}

/** A state as the value of a record. */
export function encodeState({ epoch, ptsMs, resume, lastMs, windows, answered }: KeyState): string {
  // In one order, whoever made them: a state that didn't change isn't written again.
  const marks = windows.map(({ place, epoch: of, from, after, state }) => ({ place, epoch: of, from, after, state }))
  return JSON.stringify({ v: 1, epoch, ptsMs, resume, lastMs, windows: marks, answered })
}

/** The state in a record's value; undefined where it is none that this version wrote: the key begins anew. */
function decodeState(value: string): KeyState | undefined {
  const state = schema.safeParse(parse(value))
  if (!state.success) return undefined
  const { windows, ...rest } = state.data
  return { ...rest, windows: windows.map(toMark) }
}

/** Without properties that aren't there. */
function toMark({ from, after, ...rest }: z.infer<typeof mark>): WindowMark {
  return { ...rest, ...(from === undefined ? {} : { from }), ...(after === undefined ? {} : { after }) }
}

/** Partitions of a topic that are told apart in an epoch's number. */
const PARTITIONS = 65_536

/**
 * The number of an epoch that begins with a message: grows with the offset, differs between partitions, and is the
 * same whenever the message is read again. Exact up to offset 2^37.
 */
export function epochOf(offset: number, partition: number): number {
  return offset * PARTITIONS + (partition % PARTITIONS)
}
