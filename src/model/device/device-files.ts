import { readdirSync } from 'node:fs'

/** Files by which programs on Linux reach a GPU: any vendor's, NVIDIA's own, Windows' below WSL. */
const DEVICE_FILE = /^\/dev\/(dri\/renderD\d+|nvidia(\d+|ctl)|dxg)$/

/** Whether a path is that of a GPU. */
export function isGpuFile(path: string): boolean {
  return DEVICE_FILE.test(path)
}

/**
 * Whether this machine may have a GPU, without asking any driver.
 *
 * Linux shows one as a file. On macOS there always is one. On Windows it can't be told from the program that stands in
 * for it, so that `webgpu` has to be named there.
 *
 * @param platform As `process.platform`.
 */
export function mayHaveGpu(platform: NodeJS.Platform = process.platform): boolean {
  if (platform !== 'linux') return platform === 'darwin'
  return gpuFiles().length > 0
}

/** Whether Linux shows a GPU of NVIDIA's to this process; below WSL, whether it shows any. */
export function showsNvidia(): boolean {
  return gpuFiles().some((path) => /nvidia|dxg/.test(path))
}

/** The GPUs that Linux shows to this process; a container has those that were handed to it. */
function gpuFiles(): readonly string[] {
  return ['/dev', '/dev/dri'].flatMap((folder) => namesIn(folder).map((name) => `${folder}/${name}`)).filter(isGpuFile)
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    // A machine without a GPU has no such folder.
    return []
  }
}
