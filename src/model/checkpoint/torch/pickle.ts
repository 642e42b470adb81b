import { StreamError } from '../../../errors.js'
import { createByteReader } from './byte-reader.js'

/** What a pickle may name. Nothing else can be reached from it. */
export interface PickleRules {
  /** By `module.name`: functions of ours that may be called, and values that are passed on. */
  readonly globals: ReadonlyMap<string, unknown>
  /** Stands for data kept outside the pickle. */
  readonly persistent: (id: unknown) => unknown
}

/** The state of a pickle's stack machine. */
interface Machine {
  readonly bytes: ReturnType<typeof createByteReader>
  readonly rules: PickleRules
  readonly memo: Map<number, unknown>
  /** Stacks below the current one, one for each open mark. */
  readonly outer: unknown[][]
  stack: unknown[]
}

type Operation = (machine: Machine) => void

/**
 * Reads a pickle of plain data as Python's `pickle` would, and executes nothing: a stack machine of a closed
 * list of operations, those that `torch.save` writes (pickle protocol 2; cf. torch's `_weights_only_unpickler.py`).
 *
 * Dictionaries become `Map`s, lists and tuples arrays, integers numbers.
 *
 * @throws {StreamError} `CHECKPOINT_UNSAFE`, naming an operation or a global that is not on the lists; `CHECKPOINT_UNSUPPORTED`
 *   for another protocol.
 * @throws {Error} Where the pickle is cut or malformed.
 */
export function readPickle(data: Uint8Array, rules: PickleRules): unknown {
  const machine: Machine = { bytes: createByteReader(data), rules, memo: new Map(), outer: [], stack: [] }
  for (;;) {
    const code = machine.bytes.uint8()
    if (code === STOP) return pop(machine)
    const operation = OPERATIONS.get(code)
    if (operation === undefined) throw unsafe(`operation ${showCode(code)}`)
    operation(machine)
  }
}

/** The error for a pickle that asks for more than data. */
export function unsafe(what: string): StreamError {
  const message = `A pickled weight file asks for ${what}, which rebuilding weights never needs. It was not run, and the file is refused.`
  return new StreamError('CHECKPOINT_UNSAFE', `${message} Take safetensors from a source you trust.`)
}

const STOP = 0x2e

const PROTOCOL = 2

const push = ({ stack }: Machine, value: unknown): void => { stack.push(value) }

function pop({ stack }: Machine): unknown {
  if (stack.length === 0) throw new Error('its stack is empty')
  return stack.pop()
}

/** What was pushed since the last mark. */
function popMark(machine: Machine): unknown[] {
  const items = machine.stack
  const below = machine.outer.pop()
  if (below === undefined) throw new Error('it lacks a mark')
  machine.stack = below
  return items
}

function popSome(machine: Machine, count: number): unknown[] {
  return Array.from({ length: count }, () => pop(machine)).reverse()
}

/** The container that items are about to be put into. */
function container<Kind>(machine: Machine, kind: abstract new (...args: never[]) => Kind): Kind {
  const found = machine.stack.at(-1)
  if (found instanceof kind) return found
  throw new Error('it puts an item into what is no container')
}

function setItems(machine: Machine, items: readonly unknown[]): void {
  const into = container<Map<unknown, unknown>>(machine, Map)
  for (let i = 0; i + 1 < items.length; i += 2) into.set(items[i], items[i + 1])
}

function checkProtocol({ bytes }: Machine): void {
  const version = bytes.uint8()
  if (version === PROTOCOL) return
  const message = `A pickled weight file is of pickle protocol ${version}; torch.save writes ${PROTOCOL}, and only that is read.`
  throw new StreamError('CHECKPOINT_UNSUPPORTED', `${message} Save it again without pickle_protocol.`)
}

function recall(machine: Machine, index: number): void {
  if (!machine.memo.has(index)) throw new Error(`it recalls ${index}, which it never kept`)
  push(machine, machine.memo.get(index))
}

function readGlobal(machine: Machine): void {
  const name = `${machine.bytes.line()}.${machine.bytes.line()}`
  if (!machine.rules.globals.has(name)) throw unsafe(`\`${name}\``)
  push(machine, machine.rules.globals.get(name))
}

function reduce(machine: Machine): void {
  const [callable, args] = popSome(machine, 2)
  // Functions come from the list of globals only.
  if (typeof callable !== 'function' || !Array.isArray(args)) throw unsafe('a call of what is no function')
  push(machine, (callable as (...args: readonly unknown[]) => unknown)(...(args as unknown[])))
}

/** Attributes of a dictionary (`_metadata` of a state dict) hold no weights; nothing else may be given a state. */
function build(machine: Machine): void {
  pop(machine)
  if (!(machine.stack.at(-1) instanceof Map)) throw unsafe('a state of an object')
}

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [0x80, checkProtocol], // PROTO
  [0x63, readGlobal], // GLOBAL
  [0x52, reduce], // REDUCE
  [0x62, build], // BUILD
  [0x51, (machine) => { push(machine, machine.rules.persistent(pop(machine))) }], // BINPERSID

  [0x28, (machine) => { machine.outer.push(machine.stack); machine.stack = [] }], // MARK
  [0x71, ({ memo, bytes, stack }) => { memo.set(bytes.uint8(), stack.at(-1)) }], // BINPUT
  [0x72, ({ memo, bytes, stack }) => { memo.set(bytes.uint32(), stack.at(-1)) }], // LONG_BINPUT
  [0x68, (machine) => { recall(machine, machine.bytes.uint8()) }], // BINGET
  [0x6a, (machine) => { recall(machine, machine.bytes.uint32()) }], // LONG_BINGET

  [0x7d, (machine) => { push(machine, new Map()) }], // EMPTY_DICT
  [0x73, (machine) => { setItems(machine, popSome(machine, 2)) }], // SETITEM
  [0x75, (machine) => { setItems(machine, popMark(machine)) }], // SETITEMS
  [0x5d, (machine) => { push(machine, []) }], // EMPTY_LIST
  [0x61, (machine) => { const item = pop(machine); container<unknown[]>(machine, Array).push(item) }], // APPEND
  [0x65, (machine) => { const items = popMark(machine); for (const item of items) container<unknown[]>(machine, Array).push(item) }], // APPENDS
  [0x29, (machine) => { push(machine, []) }], // EMPTY_TUPLE
  [0x74, (machine) => { push(machine, popMark(machine)) }], // TUPLE
  [0x85, (machine) => { push(machine, popSome(machine, 1)) }], // TUPLE1
  [0x86, (machine) => { push(machine, popSome(machine, 2)) }], // TUPLE2
  [0x87, (machine) => { push(machine, popSome(machine, 3)) }], // TUPLE3

  [0x4e, (machine) => { push(machine, null) }], // NONE
  [0x88, (machine) => { push(machine, true) }], // NEWTRUE
  [0x89, (machine) => { push(machine, false) }], // NEWFALSE
  [0x4a, (machine) => { push(machine, machine.bytes.int32()) }], // BININT
  [0x4b, (machine) => { push(machine, machine.bytes.uint8()) }], // BININT1
  [0x4d, (machine) => { push(machine, machine.bytes.uint16()) }], // BININT2
  [0x8a, (machine) => { push(machine, machine.bytes.long(machine.bytes.uint8())) }], // LONG1
  [0x47, (machine) => { push(machine, machine.bytes.float64()) }], // BINFLOAT
  [0x58, (machine) => { push(machine, machine.bytes.text(machine.bytes.uint32())) }], // BINUNICODE
])

/** Operations outside the list that attacks use, so that their name can be said. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x69, 'INST'], [0x6f, 'OBJ'], [0x81, 'NEWOBJ'], [0x92, 'NEWOBJ_EX'], [0x93, 'STACK_GLOBAL'],
  [0x82, 'EXT1'], [0x83, 'EXT2'], [0x84, 'EXT4'], [0x50, 'PERSID'], [0x95, 'FRAME'],
])

const showCode = (code: number): string => `${REFUSED.get(code) ?? 'of unknown name'} (0x${code.toString(16).padStart(2, '0')})`
