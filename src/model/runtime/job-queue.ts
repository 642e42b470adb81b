import { throwIfAborted } from '../../errors.js'
import type { Engine } from './engine.js'
import type { FromWorker, Job, JobResult, ToWorker } from './protocol.js'
import { toWireError } from './wire-error.js'

/** Sends a message to the client, moving the given buffers instead of copying them. */
export type Post = (message: FromWorker, transfer: readonly ArrayBuffer[]) => void

/**
 * Answers a client's messages: runs jobs in turn, in the order they came, and stops those that are cancelled.
 *
 * @param close Called for the client's `close`, once no job is under way.
 * @returns What to call with each message of the client.
 */
export function createJobQueue(engine: Engine, post: Post, close: () => void): (message: ToWorker) => void {
  const controllers = new Map<number, AbortController>()
  let last: Promise<void> = Promise.resolve()

  const runJob = async (id: number, job: Job, { signal }: AbortController): Promise<void> => {
    try {
      throwIfAborted(signal, 'A job')
      const onDelta = (text: string): void => {
        post({ type: 'delta', id, text }, [])
      }
      const result = await engine.run(job, { signal, onDelta })
      post({ type: 'done', id, result }, buffersOf(result))
    } catch (error) {
      post({ type: 'failed', id, error: toWireError(error) }, [])
    } finally {
      controllers.delete(id)
    }
  }

  return (message) => {
    if (message.type === 'cancel') {
      controllers.get(message.id)?.abort()
      return
    }
    if (message.type === 'close') {
      for (const controller of controllers.values()) controller.abort()
      void last.then(close)
      return
    }
    const controller = new AbortController()
    controllers.set(message.id, controller)
    last = last.then(() => runJob(message.id, message.job, controller))
  }
}

/** The buffers of a result that may be moved: those whose typed array fills them. */
function buffersOf(result: JobResult): ArrayBuffer[] {
  const records = Array.isArray(result) ? (result as readonly unknown[]) : [result]
  return records.flatMap((record) => {
    const data: unknown = typeof record === 'object' && record !== null && 'data' in record ? record.data : undefined
    if (!(data instanceof Float32Array) || !(data.buffer instanceof ArrayBuffer)) return []
    return data.byteLength === data.buffer.byteLength ? [data.buffer] : []
  })
}
