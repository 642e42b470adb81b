import { existsSync, statSync } from 'node:fs'
import { access, constants, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

import { defined } from '../defined.js'
import { StreamError } from '../errors.js'
import { explanationPage } from '../explain/page.js'
import { explainVideo } from '../service/explain-video.js'
import { videoOrImage } from '../sources/video-or-image.js'
import { checkVideo, generationOf, samplingOf } from './ask-settings.js'
import type { AskFlags } from './ask-settings.js'
import { onInterrupt } from './interrupt.js'
import { createProgress } from './progress.js'
import type { Reporter } from './reporter.js'

/** What is asked and explained. */
export interface Explaining {
  readonly video: string
  readonly question: string
  /** Where the page goes; a file that is there is written over. */
  readonly page: string
  readonly flags: AskFlags
}

/** Asks one question, prints the answer and writes the page that explains it. */
export async function explain({ video, question, page, flags }: Explaining, reporter: Reporter): Promise<void> {
  await expectWritable(dirname(page), page)
  await checkVideo(video)
  const stop = new AbortController()
  const forget = onInterrupt(reporter, 'stopping', () => { stop.abort() })
  const progress = createProgress('building the demo model')
  try {
    const explanation = await explainVideo(videoOrImage(video, { sampling: samplingOf(flags) }), question, {
      ...generationOf(flags),
      ...defined({ model: flags.model, device: flags.device }),
      ...{ onProgress: progress.update, signal: stop.signal },
    }).finally(progress.end)
    explanation.warnings.forEach(reporter.warning)
    process.stdout.write(`${explanation.answer}\n`)
    await writeFile(page, await explanationPage(explanation)).catch((error: unknown) => { throw notWritten(page, error) })
    reporter.notice('the answer is explained in', { page })
  } finally {
    forget()
  }
}

/** Before the model is loaded, which takes much longer. */
async function expectWritable(folder: string, page: string): Promise<void> {
  await access(existsSync(page) ? page : folder, constants.W_OK).catch((error: unknown) => { throw notWritten(page, error) })
  if (existsSync(page) && statSync(page).isDirectory()) throw notWritten(page, 'it is a folder')
}

function notWritten(page: string, cause: unknown): StreamError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StreamError('SINK_FAILED', `The page \`${page}\` can't be written (${reason}). Name a file in a folder that is there.`, { cause })
}
