import { z } from 'zod'

import { StreamError } from '../../../errors.js'
import { type HubConnection, metadataFetch } from './connection.js'
import { answerInvalid } from './hub-errors.js'
import { isCommit } from './repository.js'

/** A file as the hub lists it. */
export interface HubFile {
  readonly path: string
  readonly bytes: number
  /** Name of its bytes in the cache: SHA-256 of a large file (LFS), else git's own SHA-1 of it (`blob N\0` + bytes). */
  readonly etag: string
}

/** A repository at one commit. */
export interface Revision {
  readonly commit: string
  readonly files: readonly HubFile[]
}

// Both become names of files.
const commitSchema = z.string().refine(isCommit, { error: 'the commit it names is none' })
const fileSchema = z
  .object({
    path: z.string(),
    size: z.int().min(0),
    oid: z.string().regex(/^[0-9a-f]{40}$/),
    lfs: z.object({ oid: z.string().regex(/^[0-9a-f]{64}$/), size: z.int().min(0) }).optional(),
  })
  .transform(({ path, size, oid, lfs }): HubFile => ({ path, bytes: lfs?.size ?? size, etag: lfs?.oid ?? oid }))

/**
 * Asks the hub what a revision means and which files it holds.
 *
 * @throws {StreamError} `HUB_*`, `ABORTED`.
 */
export async function readRevision(hub: HubConnection): Promise<Revision> {
  const { repository: { name, revision }, settings: { endpoint } } = hub
  // Loading the client takes a tenth of a second, which whoever never pulls shouldn't wait for.
  const { listFiles, modelInfo } = await import('@huggingface/hub')
  const request = { hubUrl: endpoint, fetch: metadataFetch(hub) }
  try {
    const { sha } = await modelInfo({ ...request, name, revision, additionalFields: ['sha'] })
    const commit = commitSchema.parse(sha)
    const files: HubFile[] = []
    const entries = listFiles({ ...request, repo: { type: 'model', name }, revision: commit, recursive: true })
    for await (const entry of entries) {
      if (entry.type === 'file') files.push(fileSchema.parse(entry))
    }
    return { commit, files }
  } catch (error) {
    // The client trusts what it is told: anything else it throws comes from an answer of another form.
    if (error instanceof StreamError) throw error
    throw answerInvalid(hub, error instanceof z.ZodError ? 'its list of files makes no sense' : 'it is not what a hub says', error)
  }
}
