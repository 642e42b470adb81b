import { Presets, SingleBar } from 'cli-progress'

import type { ConvertProgress } from '../model/convert.js'

/** Shows how far a conversion is. */
export interface Progress {
  readonly update: (progress: ConvertProgress) => void
  /** Ends it; may be called again, and without an update. */
  readonly end: () => void
}

/**
 * Makes a progress display on stderr: a bar on a terminal, else a line for each graph.
 *
 * @param title What is being done.
 */
export function createProgress(title: string, output: NodeJS.WriteStream = process.stderr): Progress {
  return output.isTTY ? progressBar(title, output) : progressLines(title, output)
}

function progressBar(title: string, output: NodeJS.WriteStream): Progress {
  const format = `${title} {bar} {percentage} % of {size} MB, {stage}`
  const bar = new SingleBar({ format, stream: output, hideCursor: true }, Presets.shades_classic)
  let isShown = false
  return {
    update: ({ stage, doneBytes, totalBytes }) => {
      const payload = { stage, size: Math.round(totalBytes / 1e6) }
      if (isShown) bar.update(doneBytes, payload)
      else bar.start(totalBytes, doneBytes, payload)
      isShown = true
    },
    end: () => {
      if (isShown) bar.stop()
      isShown = false
    },
  }
}

function progressLines(title: string, output: NodeJS.WriteStream): Progress {
  let lastStage = ''
  return {
    update: ({ stage, doneBytes, totalBytes }) => {
      if (stage === lastStage) return
      lastStage = stage
      const percent = totalBytes === 0 ? 100 : Math.floor((doneBytes / totalBytes) * 100)
      output.write(`${title}: ${stage} (from ${percent} %)\n`)
    },
    end: () => undefined,
  }
}
