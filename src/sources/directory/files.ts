import { readdir, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'

import { StreamError } from '../../errors.js'

/** Which files of a folder count. */
export interface DirectoryFiles {
  /** Absolute path. */
  readonly folder: string
  readonly recursive: boolean
  /** With their dots, in lower case. */
  readonly extensions: readonly string[]
}

/** Extensions that videos have. */
export const VIDEO_EXTENSIONS: readonly string[] = [
  ...['.mp4', '.m4v', '.mov', '.mkv', '.webm', '.avi', '.ts', '.mts', '.m2ts', '.mpg', '.mpeg'],
  ...['.flv', '.wmv', '.asf', '.ogv', '.3gp', '.mxf'],
]

/** Whether the name is that of a video. Hidden files are none: tools write half a file under such a name. */
export function isVideoName(name: string, extensions: readonly string[]): boolean {
  return !name.startsWith('.') && extensions.includes(extname(name).toLowerCase())
}

/**
 * Paths of the videos in a folder, from there, with `/`, sorted by their characters' codes. Links to files
 * count, links to folders don't (they may lead in a circle).
 *
 * @throws {StreamError} `DIRECTORY_UNREADABLE`.
 */
export async function listVideos({ folder, recursive, extensions }: DirectoryFiles): Promise<string[]> {
  const found: string[] = []
  const folders = ['']
  for (let inside = folders.pop(); inside !== undefined; inside = folders.pop()) {
    for (const entry of await entriesOf(join(folder, inside))) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`
      if (entry.isDirectory()) {
        if (recursive && !entry.name.startsWith('.')) folders.push(path)
      } else if (isVideoName(entry.name, extensions) && (entry.isFile() || (await isFile(join(folder, path))))) {
        found.push(path)
      }
    }
  }
  return found.sort()
}

/** The error for a folder that can't be listed or watched. */
export function unreadable(folder: string, reason: unknown): StreamError {
  const text = reason instanceof Error ? reason.message : String(reason)
  return new StreamError('DIRECTORY_UNREADABLE', `The folder ${folder} can't be read: ${text}.`, { cause: reason })
}

function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw unreadable(folder, error)
  })
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() === true
}
