import type ffmpeg from 'fluent-ffmpeg'

/** How fluent-ffmpeg hands out the text that it kept. */
interface KeptText {
  readonly get: () => string
}

type EndCallback = (error: Error | null, stdout?: KeptText, stderr?: KeptText) => void

/** The part of a command that starts processes; fluent-ffmpeg's own, and not in its types. */
interface Spawning {
  _spawnFfmpeg: (this: ffmpeg.FfmpegCommand, ...parameters: [...unknown[], EndCallback]) => void
}

const NOTHING: KeptText = { get: () => '' }

/**
 * Makes a command report a process that can't be started as its `error` event.
 *
 * fluent-ffmpeg 2.1.3, its last version, reads the kept output of a process that never was: the exception
 * is thrown in an event of its own and ends the whole program. A binary for another system does that, and so
 * does a machine that has no process or file handle left for a moment.
 */
export function reportFailedStarts(command: ffmpeg.FfmpegCommand): ffmpeg.FfmpegCommand {
  const spawning = command as unknown as Spawning
  const spawn = spawning._spawnFfmpeg
  spawning._spawnFfmpeg = function (...parameters) {
    const onEnd = parameters.pop() as EndCallback
    const end: EndCallback = (error, stdout = NOTHING, stderr = NOTHING) => {
      onEnd(error, stdout, stderr)
    }
    try {
      spawn.call(this, ...parameters, end)
    } catch (error) {
      // Without file handles there isn't even a stdout to listen to.
      end(error as Error)
    }
  }
  return command
}
