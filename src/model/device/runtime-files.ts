import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'

const require = createRequire(import.meta.url)

/** The provider itself, beside onnxruntime-node's own library. */
export const PROVIDER_FILE = 'libonnxruntime_providers_cuda.so'

/** Where onnxruntime-node looks for its CUDA provider; undefined on systems for which there is none. */
export function providerFolder(
  { platform, arch }: Pick<NodeJS.Process, 'platform' | 'arch'> = process,
): string | undefined {
  return platform === 'linux' && arch === 'x64' ? join(runtimeFolder(), 'bin/napi-v6/linux/x64') : undefined
}

/** The command that fetches the provider, which needs NuGet. The variable outdoes a project's or a user's `.npmrc`. */
export function cudaInstaller(): string {
  return `ONNXRUNTIME_NODE_INSTALL=true node ${shown(join(runtimeFolder(), 'script/install.js'))}`
}

/** Version of the ONNX Runtime that is installed; undefined where none is. */
export function runtimeVersion(): string | undefined {
  try {
    const { version } = require('onnxruntime-node/package.json') as { readonly version: string }
    return version
  } catch {
    return undefined
  }
}

function runtimeFolder(): string {
  return dirname(require.resolve('onnxruntime-node/package.json'))
}

/** From the working directory on, where it lies in there. */
function shown(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}
