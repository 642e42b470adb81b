import { basename, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { expectText } from '../checks.js'
import { StreamError, abortError } from '../errors.js'
import { type LendVideo, localVideo } from './decoding/file-stream.js'
import { expectNoAddress } from './decoding/video-errors.js'
import { httpAddress, remoteFileName, shownAddress } from './remote-file/address.js'
import { RemoteFileDownload } from './remote-file/download.js'
import type { Download } from './remote-file/settings.js'
import { temporaryVideo } from './temporary-video.js'

/** A file that can be read, and its name without its folder or host. */
export interface LentFile {
  readonly name: string
  readonly lend: LendVideo
}

/**
 * A file by its path, from the current folder if it isn't absolute, or by its http(s) address.
 *
 * @throws {StreamError} `SETTING_INVALID`: it is empty, or another address (`rtsp://…`).
 */
export function lentFile(path: unknown, download: Download): LentFile {
  const address = httpAddress(path)
  if (address !== undefined) return { name: remoteFileName(address), lend: remoteVideo(address, download) }
  expectNoAddress(path)
  const fullPath = resolve(expectText('path', path))
  return { name: basename(fullPath), lend: localVideo(fullPath) }
}

/**
 * A video behind an http(s) address, fetched to a temporary file for as long as it is read.
 *
 * Its pictures error with `VIDEO_NOT_FOUND` (404, 410), `VIDEO_TOO_LARGE`, `ADDRESS_NOT_ALLOWED`,
 * `VIDEO_UNREADABLE` (any other refusal of the server, a certificate that isn't trusted, a circle of redirects)
 * or `VIDEO_DOWNLOAD_FAILED`, and as a file does.
 */
export function remoteVideo(address: URL, download: Download): LendVideo {
  return temporaryVideo({
    shownAs: shownAddress(address),
    name: remoteFileName(address),
    folder: download.folder,
    write: (path, signal) => downloadFile({ address, path, download, signal }),
  })
}

interface FileDownload {
  readonly address: URL
  /** Where nothing is yet. */
  readonly path: string
  readonly download: Download
  readonly signal: AbortSignal
}

/** Fetches a file whole; repeats and goes on after broken connections. */
async function downloadFile({ address, path, download, signal }: FileDownload): Promise<void> {
  const limit = new AbortController()
  const timer = setTimeout(() => {
    limit.abort()
  }, download.timeLimitMs)
  const stop = AbortSignal.any([signal, limit.signal])
  try {
    await repeatWhileBroken(new RemoteFileDownload({ address, path, download, signal: stop }), { download, stop })
  } catch (error) {
    if (signal.aborted) throw abortError(`Fetching ${shownAddress(address)}`, signal.reason)
    if (limit.signal.aborted) throw failed(address, `it took longer than ${download.timeLimitMs} ms`, error)
    throw error instanceof StreamError ? error : failed(address, reasonOf(error), error)
  } finally {
    clearTimeout(timer)
  }
}

/** A `StreamError` is final; every other error is a connection that broke. */
async function repeatWhileBroken(
  file: RemoteFileDownload,
  { download: { retries, retryDelayMs }, stop }: { download: Download; stop: AbortSignal },
): Promise<void> {
  for (let failures = 0; ; ) {
    const before = file.received
    try {
      await file.attempt()
      return
    } catch (error) {
      if (error instanceof StreamError || stop.aborted) throw error
      // Bytes that must be fetched again are no progress.
      failures = file.canResume && file.received > before ? 1 : failures + 1
      if (failures > retries) throw error
      const jitter = 0.5 + Math.random() / 2
      await delay(retryDelayMs * Math.min(16, 2 ** (failures - 1)) * jitter, undefined, { signal: stop })
    }
  }
}

function failed(address: URL, reason: string, cause: unknown): StreamError {
  return new StreamError('VIDEO_DOWNLOAD_FAILED', `${shownAddress(address)} could not be fetched: ${reason}.`, { cause })
}

/** What broke a connection. Where a host has several addresses and all fail, the message itself is empty. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
