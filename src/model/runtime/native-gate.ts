/**
 * Keeps a worker from being ended inside ONNX Runtime.
 *
 * When Node ends a worker (`terminate()`, or any end of the process) while it is inside a native call of
 * onnxruntime-node 1.30, the call can't hand its result to JavaScript any more, throws a C++ exception and
 * aborts the whole process (`Napi::Error`, exit code 134). So the worker says when it goes in and comes out,
 * in memory that both threads see, and whoever ends it closes the gate and waits until it is out.
 */
import { StreamError } from '../../errors.js'

/** Two shared cells: 1 while the worker is inside, 1 once the gate is closed. */
export type GateCells = Int32Array<SharedArrayBuffer>

const INSIDE = 0
const CLOSED = 1

/** The longest single native call: prefill of a long prompt by a large model on a slow machine. */
const MAX_WAIT_MS = 60_000

/** Makes an open gate; hand it to the worker with its settings. */
export function createGate(): GateCells {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
}

/**
 * Does native work with the gate's knowledge; for the worker. Work must not be nested.
 *
 * @throws {StreamError} `MODEL_DISPOSED` where the gate is closed, without doing the work.
 */
export async function throughGate<Result>(cells: GateCells, work: () => Promise<Result>): Promise<Result> {
  Atomics.store(cells, INSIDE, 1)
  try {
    // Looked at after going in: either this sees the closed gate, or whoever closes it sees that someone is in.
    if (Atomics.load(cells, CLOSED) === 1) throw new StreamError('MODEL_DISPOSED', 'The model is being closed.')
    return await work()
  } finally {
    Atomics.store(cells, INSIDE, 0)
    Atomics.notify(cells, INSIDE)
  }
}

/** Closes the gate: no native work begins any more. */
export function closeGate(cells: GateCells): void {
  Atomics.store(cells, CLOSED, 1)
}

const openGates = new Set<GateCells>()

/** Makes the process's end wait for the worker to be out. @returns What undoes it, once the worker has ended. */
export function guardExit(cells: GateCells): () => void {
  if (openGates.size === 0) process.on('exit', closeAll)
  openGates.add(cells)
  return () => {
    openGates.delete(cells)
    if (openGates.size === 0) process.off('exit', closeAll)
  }
}

/** Runs in the process's `exit` event, where nothing asynchronous happens any more: so it blocks. */
function closeAll(): void {
  for (const cells of openGates) closeGate(cells)
  for (const cells of openGates) Atomics.wait(cells, INSIDE, 1, MAX_WAIT_MS)
}
