import { expectOneOf } from '../checks.js'
import { StreamError } from '../errors.js'
import { claimDevice } from './device/claim.js'
import { chooseDevice } from './device/choose-device.js'
import { DEVICE_CHOICES, type Device, type DeviceChoice } from './device/device.js'
import { placeGraphs } from './device/place-graphs.js'
import type { Manifest } from './manifest.js'
import type { Model } from './model.js'
import { openBundle } from './runtime/bundle.js'
import { createClient } from './runtime/client.js'
import { Dispatcher } from './runtime/dispatcher.js'
import { type RuntimeLimits, planLimits } from './runtime/limits.js'
import { planThreads } from './runtime/threads.js'
import { startWorkerThread } from './runtime/worker-thread.js'

/** How a bundle is loaded. */
export interface LoadOptions {
  /** Threads of each ONNX Runtime session. @default all cores this process may use */
  readonly threads?: number
  /**
   * Where the model runs. `auto` is `cuda` where that works, else `webgpu` on a real GPU, else `cpu`; what was taken is
   * in `model.info.device`. `tinyllava-stream doctor` says what is there.
   *
   * @default 'auto'
   */
  readonly device?: DeviceChoice
  /** How much the model does at once, and how long it stays at one thing. */
  readonly limits?: Partial<RuntimeLimits>
  /** Stops loading; the promise rejects with `ABORTED`. */
  readonly signal?: AbortSignal
}

/**
 * Loads a converted bundle into a worker thread; resolves once the model is ready to run.
 *
 * @param bundleDir Folder that `convert` wrote.
 * @throws {StreamError} `SETTING_INVALID`, `DEVICE_UNAVAILABLE`, `BUNDLE_NOT_FOUND`, `BUNDLE_INVALID`,
 *   `BUNDLE_VERSION`, `BUNDLE_DAMAGED`, `TOKENIZER_INVALID`, `MODEL_FAILED`, `MODEL_WORKER_DIED`, `ABORTED`.
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
  const choice = expectOneOf('device', options.device ?? 'auto', DEVICE_CHOICES)
  // Before anything takes long.
  planLimits(options.limits)
  const bundle = await openBundle(bundleDir)
  const { manifest } = bundle
  const { device, giveBack } = claimDevice(await chooseDevice(choice), choice)
  try {
    expectRightAnswers(manifest, device)
    const limits = planLimits(options.limits, device)
    const plan = placeGraphs(threads, device, manifest.languageModel.keyValueHeads.length)
    const dispatcher = new Dispatcher(() => startWorkerThread({ bundleDir, manifest, device, threads: plan, limits }))
    await opened(dispatcher, options.signal)
    const model = createClient(bundle, dispatcher, device.kind)
    return { ...model, dispose: () => model.dispose().finally(giveBack) }
  } catch (error) {
    giveBack()
    throw error
  }
}

/** Resolves once the worker has loaded the model; where it can't, after the worker's end. */
async function opened(dispatcher: Dispatcher, signal: AbortSignal | undefined): Promise<void> {
  try {
    await dispatcher.submit({ kind: 'open' }, signal === undefined ? {} : { signal })
  } catch (error) {
    await dispatcher.dispose()
    throw error
  }
}

/** Software adapters compute fused attention wrongly, without a word: see `docs/GPU.md`. */
function expectRightAnswers({ attention }: Manifest, { kind, isSoftware }: Device): void {
  if (!isSoftware || attention === 'primitive') return
  throw new StreamError(
    'DEVICE_UNAVAILABLE',
    `The device \`${kind}\` is a software adapter here, on which fused attention gives wrong answers. ` +
      'Convert the model with `--attention primitive`, or take the device `cpu`, which is faster.',
  )
}
