/** Why a device can't be used, for people. */
export interface Trouble {
  /** One sentence or two. */
  readonly reason: string
  /** The command that would add what is missing; left out where there is no single one. */
  readonly command?: string
}

/** Why not even the processor works: the runtime isn't installed, or not for this system. */
export function explainCpu(text: string): Trouble {
  const isMissing = /Cannot find (?:package|module)/.test(text)
  return { reason: firstLine(text), ...(isMissing && { command: 'npm install onnxruntime-node' }) }
}

/**
 * Why CUDA doesn't work, from what ONNX Runtime, CUDA and the system's linker say.
 *
 * @param isGpuShown Whether the system shows a GPU of NVIDIA's to this process.
 */
export function explainCuda(text: string, isGpuShown: boolean): Trouble {
  const trouble = cudaTrouble(text)
  if (isGpuShown) return trouble
  return { ...trouble, reason: `No NVIDIA GPU is shown to this process (a container needs \`--gpus all\`). ${trouble.reason}` }
}

function cudaTrouble(text: string): Trouble {
  const [, missing] = /(lib[\w+.-]+\.so[\w.]*): cannot open shared object file/.exec(text) ?? []
  if (missing !== undefined) return missingLibrary(missing)
  const [, number, words] = /CUDA failure (\d+): ([^;\n]+?) *(?:;|$)/m.exec(text) ?? []
  if (words !== undefined) return { reason: `CUDA says: ${words} (error ${number ?? ''}).` }
  return { reason: firstLine(text) }
}

function missingLibrary(file: string): Trouble {
  if (file.startsWith('libcuda.so')) {
    return { reason: `NVIDIA's driver isn't here: \`${file}\` is missing.` }
  }
  if (file.startsWith('libonnxruntime')) return { reason: `A part of ONNX Runtime's CUDA provider is missing: \`${file}\`.` }
  const release = file.endsWith('.12') || file.endsWith('.11') ? 12 : 13
  const reason = `A library of CUDA ${release} isn't found: \`${file}\`. Its folder must be in LD_LIBRARY_PATH.`
  return { reason, command: CUDA_LIBRARIES[release] }
}

/** From PyPI: the one place that has them for every distribution, and needs no Python to run. */
const CUDA_LIBRARIES = {
  12: 'pip install nvidia-cublas-cu12 nvidia-cuda-runtime-cu12 nvidia-cudnn-cu12 nvidia-cufft-cu12 nvidia-curand-cu12',
  13: 'pip install nvidia-cublas nvidia-cuda-runtime nvidia-cudnn-cu13 nvidia-cufft nvidia-curand',
} as const

/**
 * Why WebGPU doesn't work, from what Dawn and the Vulkan loader say.
 *
 * @param isGpuShown Whether the system shows any GPU to this process.
 */
export function explainWebGpu(text: string, isGpuShown: boolean): Trouble {
  const trouble = vulkanTrouble(text)
  if (isGpuShown) return trouble
  const shown = 'No GPU is shown to this process (a container needs `--device /dev/dri` or `--gpus all`).'
  return { ...trouble, reason: `${shown} ${trouble.reason}` }
}

function vulkanTrouble(text: string): Trouble {
  if (text.includes("Couldn't load Vulkan")) {
    return { reason: "Vulkan's loader, `libvulkan.so.1`, can't be loaded.", command: 'apt-get install libvulkan1 mesa-vulkan-drivers' }
  }
  if (text.includes('Found no drivers')) {
    const reason = "Vulkan finds no driver: AMD's and Intel's come with Mesa, NVIDIA's with its own driver."
    return { reason, command: 'apt-get install mesa-vulkan-drivers' }
  }
  const [, needed] = /^Warning: (Vulkan .+ required)\.?$/m.exec(text) ?? []
  if (needed !== undefined) return { reason: `The Vulkan driver is too old (${needed}): install a newer one.` }
  if (text.includes('No supported adapters')) return { reason: 'Vulkan has no adapter that can do what WebGPU needs.' }
  return { reason: firstLine(text) }
}

/** ONNX Runtime's messages are long, and begin with where in its source they come from. */
function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n')
  return line === '' ? 'It failed without a word.' : line.slice(0, MAX_LENGTH)
}

const MAX_LENGTH = 300
