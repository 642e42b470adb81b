/**
 * Runs a bundle's decoder once on `webgpu`, as the runtime opens it, and prints as JSON where its outputs are. A process
 * without workers: sessions of two threads would get in each other's way.
 *
 * Its argument is the folder of a bundle.
 */
import { Tensor } from 'onnxruntime-node'

import { gpuDevice } from '../../src/model/device/device.js'
import { placeGraphs } from '../../src/model/device/place-graphs.js'
import { openBundle } from '../../src/model/runtime/bundle.js'
import { createGate } from '../../src/model/runtime/native-gate.js'
import { openSession } from '../../src/model/runtime/session.js'
import { planThreads } from '../../src/model/runtime/threads.js'
import { cacheParts } from '../support/cache-parts.js'

const bundle = await openBundle(process.argv[2] ?? '')
const { keyValueHeads, headSize, width } = bundle.manifest.languageModel
const { decoder } = placeGraphs(planThreads(1), gpuDevice('webgpu', true), keyValueHeads.length)
const session = await openSession(bundle.dir, 'decoder', decoder, createGate())
const past = cacheParts(bundle.manifest.languageModel)
const outputs = await session.run({
  inputs_embeds: new Tensor('float32', new Float32Array(width), [1, 1, width]),
  attention_mask: new Tensor('int64', BigInt64Array.of(1n), [1, 1]),
  num_logits_to_keep: new Tensor('int64', BigInt64Array.of(1n), []),
  ...Object.fromEntries(past.map(({ name, heads }) => [`past_key_values.${name}`, new Tensor('float32', [], [1, heads, 0, headSize])])),
})
const locations = Object.fromEntries(Object.entries(outputs).map(([name, { location }]) => [name, location]))
for (const output of Object.values(outputs)) output.dispose()
process.stdout.write(JSON.stringify(locations))
