import type { Stats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'

import { watch } from 'chokidar'
import { Observable } from 'rxjs'

import { asStreamError } from '../../errors.js'
import { type DirectoryFiles, isVideoName, unreadable } from './files.js'
import { type FileLook, type FinishedFile, QUIET_LOOKS, Settling } from './settling.js'

/** What is watched for, and how long a file must be left alone to count as finished. */
export interface WatchSettings extends DirectoryFiles {
  readonly settleMs: number
}

/**
 * The finished videos of a folder: those that are there, sorted by name, then each that comes or is replaced.
 *
 * ```
 * folder     a b   c~~~~~      (c is still written)
 * emitted    ---ab---------c---
 * ```
 *
 * Never completes; errors with `DIRECTORY_UNREADABLE` when the folder can't be watched or is removed. Lets go
 * of the watch on unsubscribe.
 */
export function finishedVideos(settings: WatchSettings): Observable<FinishedFile> {
  const { folder, settleMs } = settings
  return new Observable((subscriber) => {
    const settling = new Settling({ look: (name) => lookAt(join(folder, name)), settleMs })
    let isReady = false
    let timer: NodeJS.Timeout | undefined

    const arm = (): void => {
      if (subscriber.closed || timer !== undefined || !isReady || !settling.isWaiting) return
      timer = setTimeout(look, settleMs / QUIET_LOOKS)
    }
    const look = (): void => {
      settling
        .look()
        .then((finished) => {
          timer = undefined
          for (const file of finished) subscriber.next(file)
          arm()
        })
        .catch(fail)
    }
    const fail = (error: unknown): void => {
      subscriber.error(asStreamError(unreadable(folder, error), 'DIRECTORY_UNREADABLE', folder))
    }
    const note = (path: string): void => {
      settling.note(nameIn(folder, path), { wasThere: !isReady })
      arm()
    }
    const watcher = watch(folder, watchOptions(settings))
      .on('add', note)
      .on('change', note)
      .on('unlink', (path) => {
        settling.forget(nameIn(folder, path))
      })
      .on('unlinkDir', (path) => {
        if (path === folder) fail('it was removed')
      })
      .on('error', fail)
      .on('ready', () => {
        isReady = true
        arm()
      })
    return () => {
      clearTimeout(timer)
      void watcher.close()
    }
  })
}

function watchOptions({ folder, recursive, extensions }: WatchSettings): Parameters<typeof watch>[1] {
  const isHidden = (path: string): boolean => nameIn(folder, path).split('/').some((part) => part.startsWith('.'))
  const isOther = (path: string, stats?: Stats): boolean =>
    stats?.isDirectory() === false && !isVideoName(basename(path), extensions)
  return {
    // A link to a folder may lead in a circle.
    followSymlinks: false,
    // Whether a file was replaced is told by what is there in the end.
    atomic: false,
    ...(recursive ? {} : { depth: 0 }),
    ignored: (path, stats) => isHidden(path) || isOther(path, stats),
  }
}

function nameIn(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/')
}

async function lookAt(path: string): Promise<FileLook | undefined> {
  const found = await stat(path).catch(() => undefined)
  if (found === undefined) return undefined
  const { size, mtimeMs, ctimeMs, ino } = found
  return { isFile: found.isFile(), size, mtimeMs, ctimeMs, ino }
}
