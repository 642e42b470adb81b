import { throwIfAborted } from '../../errors.js'
import type { Engine } from './engine.js'
import type { FromWorker, Job, ToWorker } from './protocol.js'
import { toWireError } from './wire-error.js'

/** Sends a message to the client, moving the given buffers instead of copying them. */
export type Post = (message: FromWorker, transfer: readonly ArrayBuffer[]) => void

/**
 * Answers a client's messages: begins jobs as they come, and stops those that are cancelled.
 *
 * @param close Called for the client's `close`, once no run is under way.
 * @returns What to call with each message of the client.
 */
export function createJobQueue(engine: Engine, post: Post, close: () => void): (message: ToWorker) => void {
  const controllers = new Map<number, AbortController>()
  let isClosing = false

  const runJob = async (id: number, job: Job, { signal }: AbortController): Promise<void> => {
    try {
      throwIfAborted(signal, 'A job')
      const result = await engine.run(job, {
        signal,
        onBegin: () => {
          post({ type: 'begun', id }, [])
        },
        onDelta: (text) => {
          post({ type: 'delta', id, text }, [])
        },
      })
      // Once each: of a clip of one frame, the clip's tokens are the frame's.
      post({ type: 'done', id, result }, [...new Set(buffersOf(result))])
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
      isClosing = true
      for (const controller of controllers.values()) controller.abort()
      // Whatever goes wrong on the way out: a port that stays open would keep the thread.
      void engine.stop().then(close, close)
      return
    }
    // The client closes last: nothing that comes behind it is waited for.
    if (isClosing) return
    const controller = new AbortController()
    controllers.set(message.id, controller)
    void runJob(message.id, message.job, controller)
  }
}

/** The buffers of a result that may be moved: those whose typed array fills them. */
function buffersOf(result: unknown): ArrayBuffer[] {
  if (result instanceof Float32Array) {
    const { buffer, byteLength } = result
    return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
  }
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(buffersOf) : []
}
