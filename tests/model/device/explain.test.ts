/** The texts are what onnxruntime-node 1.29 and 1.30, CUDA 13 and Mesa printed. */
import { expect, test } from 'vitest'

import { explainCpu, explainCuda, explainWebGpu } from '../../../src/model/device/explain.js'

const failedToLoad = 'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library\n'
const noLibrary = (file: string): string =>
  `${failedToLoad}[E:onnxruntime:onnxruntime-node, provider_bridge_ort.cc:2146 Create] onnxruntime::Provider& ` +
  'onnxruntime::ProviderLibrary::Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load library /app/node_modules/' +
  `onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so with error: ${file}: ` +
  'cannot open shared object file: No such file or directory'

const oldDriver =
  '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:146 std::conditional_t<THRW, void, ' +
  'onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*) [with ERRTYPE = cudaError; bool THRW = true] ' +
  'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=vm ; ' +
  'file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=345 ; ' +
  'expr=cudaSetDevice(info_.device_id);'

const noAdapter =
  '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 Initialize() adapter_result.status == ' +
  'wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters\n'

test.each([
  [
    noLibrary('libcublasLt.so.13'),
    "A library of CUDA 13 isn't found: `libcublasLt.so.13`. Its folder must be in LD_LIBRARY_PATH.",
    expect.stringMatching(/^pip install nvidia-cublas nvidia-cuda-runtime nvidia-cudnn-cu13 /),
  ],
  [
    noLibrary('libcublasLt.so.12'),
    "A library of CUDA 12 isn't found: `libcublasLt.so.12`. Its folder must be in LD_LIBRARY_PATH.",
    expect.stringMatching(/^pip install nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-cudnn-cu12 /),
  ],
  [noLibrary('libcuda.so.1'), "NVIDIA's driver isn't here: `libcuda.so.1` is missing.", undefined],
  [
    noLibrary('/app/libonnxruntime_providers_shared.so'),
    "A part of ONNX Runtime's CUDA provider is missing: `libonnxruntime_providers_shared.so`.",
    undefined,
  ],
  [oldDriver, 'CUDA says: CUDA driver version is insufficient for CUDA runtime version (error 35).', undefined],
  ['A probe did not end within 60 s.\n', 'A probe did not end within 60 s.', undefined],
])('CUDA: %#', (text, reason, command) => {
  expect(explainCuda(text, true)).toEqual({ reason, ...(command !== undefined && { command: command as unknown }) })
  expect(explainCuda(text, false).reason).toBe(
    `No NVIDIA GPU is shown to this process (a container needs \`--gpus all\`). ${reason}`,
  )
})

test.each([
  [
    `${noAdapter}Warning: Couldn't load Vulkan: /lib/x86_64-linux-gnu/libvulkan.so.1: file too short`,
    "Vulkan's loader, `libvulkan.so.1`, can't be loaded.",
    'apt-get install libvulkan1 mesa-vulkan-drivers',
  ],
  [
    `${noAdapter}Warning: vkCreateInstance: Found no drivers!\nWarning: vkCreateInstance failed with VK_ERROR_INCOMPATIBLE_DRIVER`,
    "Vulkan finds no driver: AMD's and Intel's come with Mesa, NVIDIA's with its own driver.",
    'apt-get install mesa-vulkan-drivers',
  ],
  [
    `${noAdapter}Warning: Vulkan shaderUniform*ArrayDynamicIndexing required.\n - While initializing adapter`,
    'The Vulkan driver is too old (Vulkan shaderUniform*ArrayDynamicIndexing required): install a newer one.',
    undefined,
  ],
  [noAdapter, 'Vulkan has no adapter that can do what WebGPU needs.', undefined],
  ['', 'It failed without a word.', undefined],
])('WebGPU: %#', (text, reason, command) => {
  expect(explainWebGpu(text, true)).toEqual({ reason, ...(command !== undefined && { command }) })
  expect(explainWebGpu(text, false).reason).toMatch(/^No GPU is shown to this process .*--device \/dev\/dri.*--gpus all/)
})

test('the processor: a runtime that isn’t installed, and one that can’t be loaded', () => {
  expect(explainCpu("Cannot find package 'onnxruntime-node' imported from /app/dist/probe-child.js\n")).toEqual({
    reason: "Cannot find package 'onnxruntime-node' imported from /app/dist/probe-child.js",
    command: 'npm install onnxruntime-node',
  })
  const musl = 'Error loading shared library ld-linux-x86-64.so.2: No such file or directory'
  expect(explainCpu(musl)).toEqual({ reason: musl })
})

test('a message without end is cut', () => {
  expect(explainCuda('x'.repeat(10_000), true).reason).toHaveLength(300)
})
