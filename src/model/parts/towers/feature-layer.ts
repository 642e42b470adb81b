import { StreamError } from '../../../errors.js'

/**
 * How many encoder layers must run for `hidden_states[featureLayer]`, where the hidden states are the
 * embeddings followed by the output of each layer.
 *
 * @param featureLayer Negative counts from the end: -2 is the output before the last layer.
 * @throws {StreamError} `CHECKPOINT_CONFIG_INVALID` if there is no such layer.
 */
export function layersUpTo(featureLayer: number, layers: number): number {
  const used = featureLayer < 0 ? layers + 1 + featureLayer : featureLayer
  if (used >= 0 && used <= layers) return used
  throw new StreamError(
    'CHECKPOINT_CONFIG_INVALID',
    `vision_feature_layer is ${featureLayer}, but the tower has ${layers} layers (${-layers - 1} to ${layers}).`,
  )
}
