import { type FileHandle, open } from 'node:fs/promises'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

import { StreamError } from '../../errors.js'
import { shownAddress } from './address.js'
import { requestFile } from './request.js'
import type { Download } from './settings.js'
import { noRoom } from '../temporary-video.js'

/** What is fetched, and where to. */
export interface RemoteFile {
  readonly address: URL
  /** Path of the file; made by the first attempt. */
  readonly path: string
  readonly download: Download
  readonly signal: AbortSignal
}

/**
 * A file on its way from a server to the disk. Each attempt goes on where the one before broke off, provided
 * that the server told what the file was (`ETag`, `Last-Modified`) and sends the rest of that very one.
 */
export class RemoteFileDownload {
  /** Bytes that are on the disk. */
  received = 0
  #validator: string | undefined
  readonly #file: RemoteFile

  constructor(file: RemoteFile) {
    this.#file = file
  }

  /**
   * Fetches the file, or its rest. Resolves when it is whole.
   *
   * @throws {StreamError} Where trying again won't help. Any other error is a broken connection.
   */
  async attempt(): Promise<void> {
    const { address, download, signal } = this.#file
    const { stallTimeLimitMs, allow, headers: privateHeaders } = download
    const response = await requestFile(address, {
      ...{ privateHeaders, stallTimeLimitMs, allow, signal },
      headers: this.#rangeHeaders(),
    })
    try {
      await this.#take(response)
    } finally {
      response.destroy()
    }
  }

  /** Whether it is known which file this is. If not, the rest might be that of another one. */
  get canResume(): boolean {
    return this.#validator !== undefined
  }

  #rangeHeaders(): Record<string, string> {
    if (this.received === 0 || this.#validator === undefined) return {}
    return { range: `bytes=${this.received}-`, 'if-range': this.#validator }
  }

  async #take(response: IncomingMessage): Promise<void> {
    const { statusCode = 0, headers } = response
    if (statusCode !== 200 && statusCode !== 206) throw this.#refusal(statusCode)
    const start = statusCode === 206 ? rangeStart(headers) : 0
    if (start !== 0 && start !== this.received) this.#startAgain('the server sent another part than was asked for')
    this.received = start
    this.#validator = validatorOf(headers)
    this.#expectSize(start + Number(headers['content-length'] ?? 0))
    await this.#store(response)
  }

  /** The body goes to the disk piece by piece; the connection waits for the disk. */
  async #store(response: IncomingMessage): Promise<void> {
    const { path } = this.#file
    const file = await open(path, this.received === 0 ? 'w' : 'r+', 0o600).catch(rethrow(path))
    try {
      for await (const bytes of response as AsyncIterable<Uint8Array>) {
        this.#expectSize(this.received + bytes.length)
        await writeAll(file, { bytes, position: this.received }).catch(rethrow(path))
        this.received += bytes.length
      }
    } finally {
      await file.close()
    }
  }

  #expectSize(bytes: number): void {
    const { address, download: { maxBytes, mostBytes = Infinity } } = this.#file
    if (bytes <= maxBytes) return
    // The command line has no such setting, but takes paths.
    const raise = 'Raise `download.maxBytes` where its source is made, or fetch it and name its path'
    const advice = maxBytes < mostBytes ? raise : 'Name a smaller one'
    throw new StreamError('VIDEO_TOO_LARGE', `${shownAddress(address)} has ${bytes} bytes or more; ${maxBytes} are allowed. ${advice}.`)
  }

  #startAgain(reason: string): never {
    this.received = 0
    this.#validator = undefined
    throw new Error(reason)
  }

  #refusal(status: number): Error {
    const shown = shownAddress(this.#file.address)
    if (status === 404 || status === 410) {
      return new StreamError('VIDEO_NOT_FOUND', `There is no file at ${shown} (${status}). Check its address.`)
    }
    // "Range not satisfiable": the file has become shorter, or what there was of it is the whole of it.
    if (status === 416) this.#startAgain('the file changed while it was fetched')
    if (status >= 500 || status === 429 || status === 408) return new Error(`the server answered ${status}`)
    const advice = status === 401 || status === 403 ? 'Check the login in `download.headers`' : 'Check its address'
    return new StreamError('VIDEO_UNREADABLE', `The server refuses ${shown} (${status}). ${advice}.`)
  }
}

/** What tells the file from another one at the same address. A weak `ETag` doesn't. */
function validatorOf(headers: IncomingHttpHeaders): string | undefined {
  const { etag } = headers
  return etag !== undefined && !etag.startsWith('W/') ? etag : headers['last-modified']
}

function rangeStart(headers: IncomingHttpHeaders): number {
  return Number(/^bytes (\d+)-/.exec(headers['content-range'] ?? '')?.[1] ?? NaN)
}

async function writeAll(file: FileHandle, { bytes, position }: { bytes: Uint8Array; position: number }): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

function rethrow(path: string): (error: unknown) => never {
  return (error) => {
    throw noRoom(path, error)
  }
}
