import { loadRuntime } from '../model/load.js'
import type { LoadOptions } from '../model/load.js'
import type { ConvertProgress } from '../model/convert.js'
import type { Model } from '../model/model.js'
import { demoBundle } from './demo-model.js'

/** How a model is opened. */
export interface OpenModelOptions extends LoadOptions {
  /** Told how far the demo model's first building is. */
  readonly onProgress?: (progress: ConvertProgress) => void
}

/** A model, and how to give it back. */
export interface OpenedModel {
  readonly model: Model
  /** Disposes the model, unless it was handed in loaded. */
  readonly close: () => Promise<void>
}

/** Loads the bundle in a folder, or the demo model where none is named; takes a loaded model as it is. */
export async function openModel(
  model: string | Model | undefined,
  options: OpenModelOptions = {},
): Promise<OpenedModel> {
  if (typeof model === 'object') return { model, close: () => Promise.resolve() }
  const loaded = await loadRuntime(model ?? (await demoBundle(options)), options)
  return { model: loaded, close: () => loaded.dispose() }
}
