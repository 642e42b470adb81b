import { Presets, SingleBar } from 'cli-progress'

import type { EvalProgress } from '../eval/run-benchmark.js'

/** Shows how far an evaluation is. */
export interface EvalProgressDisplay {
  readonly update: (progress: EvalProgress) => void
  /** Ends it; may be called again, and without an update. */
  readonly end: () => void
}

/** Makes a display on stderr: a bar on a terminal, else a line for each tenth. */
export function createEvalProgress(output: NodeJS.WriteStream = process.stderr): EvalProgressDisplay {
  return output.isTTY ? progressBar(output) : progressLines(output)
}

function progressBar(output: NodeJS.WriteStream): EvalProgressDisplay {
  const format = 'asking {bar} {value} of {total} questions, {eta_formatted} left'
  const bar = new SingleBar({ format, stream: output, hideCursor: true, etaBuffer: 50 }, Presets.shades_classic)
  let isShown = false
  return {
    update: ({ done, total }) => {
      if (isShown) bar.update(done)
      else bar.start(total, done)
      isShown = true
    },
    end: () => {
      if (isShown) bar.stop()
      isShown = false
    },
  }
}

function progressLines(output: NodeJS.WriteStream): EvalProgressDisplay {
  let told = -1
  return {
    update: ({ done, total }) => {
      const tenth = total === 0 ? 10 : Math.floor((done * 10) / total)
      if (tenth === told) return
      told = tenth
      output.write(`asked: ${done} of ${total}\n`)
    },
    end: () => undefined,
  }
}
