import { StreamError } from '../errors.js'
import type { Model } from './model.js'
import { openBundle } from './runtime/bundle.js'
import { createClient } from './runtime/client.js'
import { Dispatcher } from './runtime/dispatcher.js'
import { planThreads } from './runtime/threads.js'
import { startWorkerThread } from './runtime/worker-thread.js'

/** How a bundle is loaded. */
export interface LoadOptions {
  /** Threads of each ONNX Runtime session. @default all cores this process may use */
  readonly threads?: number
  /** Where the model runs; `auto` is `cpu` so far. @default 'auto' */
  readonly device?: 'auto' | 'cpu'
  /** Stops loading; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/**
 * Loads a converted bundle into a worker thread; resolves once the model is ready to run.
 *
 * @param bundleDir Folder that `convert` wrote.
 * @throws {StreamError} `SETTING_INVALID`, `BUNDLE_NOT_FOUND`, `BUNDLE_INVALID`, `BUNDLE_VERSION`,
 *   `BUNDLE_DAMAGED`, `TOKENIZER_INVALID`, `MODEL_FAILED`, `MODEL_WORKER_DIED`, `ABORTED`.
 *
 * @example
 * ```ts
 * const model = await loadRuntime('./models/tinyllava-video-qwen2.5-3b-group-16-512')
 * const visual = await model.connect(await model.encode(pictures))
 * const { text } = await model.generate(visual, 'What happens?')
 * await model.dispose()
 * ```
 */
export async function loadRuntime(bundleDir: string, options: LoadOptions = {}): Promise<Model> {
  const threads = planThreads(options.threads)
  const device = checkDevice(options.device ?? 'auto')
  const bundle = await openBundle(bundleDir)
  const dispatcher = new Dispatcher(() => startWorkerThread({ bundleDir, manifest: bundle.manifest, threads }))
  try {
    await dispatcher.submit({ kind: 'open' }, options.signal === undefined ? {} : { signal: options.signal })
  } catch (error) {
    await dispatcher.dispose()
    throw error
  }
  return createClient(bundle, dispatcher, device)
}

function checkDevice(device: string): string {
  if (device === 'auto' || device === 'cpu') return 'cpu'
  throw new StreamError('SETTING_INVALID', `Expected \`device\` to be auto or cpu, got \`${device}\`.`)
}
