import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type Behaviour, properly } from './hub-behaviours.js'

/** What the server has of a repository. */
export interface ServedRepository {
  /** Contents by path. */
  readonly files: Readonly<Record<string, string | Uint8Array>>
  /** Branches and tags beside `main`. */
  readonly revisions?: readonly string[]
  /** Tokens that may read it; whoever has none is told that there is no such repository. @default everybody */
  readonly readers?: readonly string[]
  /** Tokens of those who accepted its terms; all others may list it, and read no file. @default not gated */
  readonly accepted?: readonly string[]
}

/** A request as it came. */
export interface SeenRequest {
  readonly server: 'hub' | 'files'
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

/** Who may do what, and how lists are cut. */
export interface HubServerOptions {
  /** Tokens the hub knows. @default [] */
  readonly tokens?: readonly string[]
  /** Entries in one page of a list of files. @default 4 */
  readonly pageSize?: number
  /** Address of the server whose list is the next page. @default this one's */
  readonly nextPageAt?: string
}

/** Both servers of a hub: itself, and the one it redirects to for large files. */
export interface HubServer {
  readonly endpoint: string
  readonly requests: readonly SeenRequest[]
  /** Answers the next requests for files these ways; later ones properly. */
  behave(...behaviours: readonly Behaviour[]): void
  /** Answers the next requests to the hub's API with these statuses or texts instead. */
  answerApi(...answers: readonly (number | string)[]): void
  close(): Promise<void>
}

/** The commit at which a repository of these files stands. */
export function commitOf({ files }: ServedRepository): string {
  const hash = createHash('sha1')
  for (const [path, content] of Object.entries(files).sort()) hash.update(path).update(content)
  return hash.digest('hex')
}

/** The name of a content in the cache: SHA-256 where the hub keeps it apart (LFS), else git's SHA-1. */
export function etagOf(path: string, content: string | Uint8Array): string {
  return isLarge(path) ? createHash('sha256').update(content).digest('hex') : gitOid(content)
}

/**
 * A local server that speaks the parts of the Hugging Face hub's API that reading a model takes, on two ports:
 *
 * - `GET /api/models/NAME/revision/REVISION`, `GET /api/models/NAME/tree/REVISION` (in pages);
 * - `GET|HEAD /NAME/resolve/REVISION/PATH`: small files by a relative redirect, large ones (LFS) by one to the other port;
 * - `X-Error-Code`, `X-Error-Message`, `X-Repo-Commit`, `X-Linked-Etag`, `X-Linked-Size`, `ETag`, `Range`, `Link`.
 *
 * It was checked against the hub's own client for Python: `huggingface_hub` 0.36.2 downloads from it, and names its
 * refusals as the hub's.
 */
export async function startHubServer(
  repositories: Readonly<Record<string, ServedRepository>>,
  options: HubServerOptions = {},
): Promise<HubServer> {
  const requests: SeenRequest[] = []
  const behaviours: Behaviour[] = []
  const answers: (number | string)[] = []
  const contents = new Map<string, Buffer>()
  const sendFile = (request: IncomingMessage, response: ServerResponse, etag: string): void => {
    const behave = behaviours.shift() ?? properly
    behave({ request, response, bytes: contents.get(etag) ?? Buffer.alloc(0), etag })
  }

  const files = await listen((request, response) => {
    requests.push({ server: 'files', path: pathOf(request), headers: request.headers })
    sendFile(request, response, pathOf(request).replace(/^\/|\?.*$/g, ''))
  })

  const hub = await listen((request, response) => {
    requests.push({ server: 'hub', path: pathOf(request), headers: request.headers })
    const url = new URL(pathOf(request), hub.address)
    const instead = url.pathname.startsWith('/api/models/') ? answers.shift() : undefined
    if (instead !== undefined) {
      response.writeHead(typeof instead === 'number' ? instead : 200, { 'content-type': 'application/json' })
      response.end(typeof instead === 'number' ? undefined : instead)
      return
    }
    const asked = readPath(url)
    const repository = repositories[asked.name] ?? NOTHING
    const refusal = refusalOf(asked, repository, { token: tokenOf(request), tokens: options.tokens ?? [] })
    if (refusal !== undefined) response.writeHead(...refusal).end()
    else if (asked.kind === 'revision') sendJson(response, describe(asked.name, repository))
    else if (asked.kind === 'tree') sendTree(response, url, { ...options, repository })
    else sendOrRedirect(request, response, { asked, repository })
  })

  const sendOrRedirect = (request: IncomingMessage, response: ServerResponse, { asked, repository }: Found): void => {
    const bytes = Buffer.from(repository.files[asked.path] ?? '')
    const [commit, etag] = [commitOf(repository), etagOf(asked.path, bytes)]
    contents.set(etag, bytes)
    response.setHeader('x-repo-commit', commit)
    if (asked.kind === 'resolve-cache') {
      sendFile(request, response, etag)
      return
    }
    const near = `/api/resolve-cache/models/${asked.name}/${commit}/${asked.path}`
    const location = isLarge(asked.path) ? `${files.address}/${etag}?signature=secret` : near
    const linked = { 'x-linked-etag': `"${etag}"`, 'x-linked-size': bytes.length }
    response.writeHead(isLarge(asked.path) ? 302 : 307, { location, ...linked }).end()
  }

  return {
    endpoint: hub.address,
    requests,
    behave: (...more) => void behaviours.push(...more),
    answerApi: (...more) => void answers.push(...more),
    close: async () => {
      await Promise.all([hub.close(), files.close()])
    },
  }
}

/** What stands for a repository that isn't there: nobody may read it. */
const NOTHING: ServedRepository = { files: {}, readers: [] }

interface Found {
  readonly asked: AskedPath
  readonly repository: ServedRepository
}

interface AskedPath {
  readonly kind: string
  readonly name: string
  readonly revision: string
  readonly path: string
}

/** The forms of address, each with kind, name, revision and path. */
const ADDRESSES = [
  /^\/api\/models\/(?<name>[^/]+\/[^/]+)\/(?<kind>revision|tree)\/(?<revision>.+)$/,
  /^\/api\/(?<kind>resolve-cache)\/models\/(?<name>[^/]+\/[^/]+)\/(?<revision>[^/]+)\/(?<path>.+)$/,
  /^\/(?<name>[^/]+\/[^/]+)\/(?<kind>resolve)\/(?<revision>[^/]+)\/(?<path>.+)$/,
]

function readPath({ pathname }: URL): AskedPath {
  const found = ADDRESSES.map((address) => address.exec(decodeURIComponent(pathname))?.groups).find((groups) => groups !== undefined)
  const { kind = '', name = '', revision = '', path = '' } = found ?? {}
  return { kind, name, revision, path }
}

type Refusal = [status: number, headers: Record<string, string>]

interface Asking {
  readonly token: string | undefined
  readonly tokens: readonly string[]
}

/** What a hub says instead of an answer. Without a token it doesn't tell what is private from what isn't there. */
function refusalOf(asked: AskedPath, repository: ServedRepository, { token, tokens }: Asking): Refusal | undefined {
  if (token !== undefined && !tokens.includes(token)) return refuse(401, 'Invalid credentials in Authorization header')
  if (!mayRead(repository.readers, token)) {
    return token === undefined ? refuse(401, 'Invalid username or password.') : refuse(404, 'Repository not found', 'RepoNotFound')
  }
  const revisions = [commitOf(repository), 'main', ...(repository.revisions ?? [])]
  if (!revisions.includes(asked.revision)) return refuse(404, `Invalid rev id: ${asked.revision}`, 'RevisionNotFound')
  if (asked.path === '') return undefined
  if (!mayRead(repository.accepted, token)) return refuse(token === undefined ? 401 : 403, 'Access is restricted.', 'GatedRepo')
  return Object.hasOwn(repository.files, asked.path) ? undefined : refuse(404, 'Entry not found', 'EntryNotFound')
}

function refuse(status: number, message: string, code?: string): Refusal {
  return [status, { 'x-error-message': message, ...(code !== undefined && { 'x-error-code': code }) }]
}

const isLarge = (path: string): boolean => /\.(?:safetensors|bin|model)$/.test(path)
const pathOf = ({ url = '' }: IncomingMessage): string => url
const tokenOf = ({ headers }: IncomingMessage): string | undefined => /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1]
const mayRead = (readers: readonly string[] | undefined, token: string | undefined): boolean =>
  readers === undefined || (token !== undefined && readers.includes(token))

function gitOid(content: string | Uint8Array): string {
  return createHash('sha1').update(`blob ${Buffer.byteLength(content)}\0`).update(content).digest('hex')
}

function describe(name: string, repository: ServedRepository): object {
  const siblings = Object.keys(repository.files).map((rfilename) => ({ rfilename }))
  const rights = { private: repository.readers !== undefined, gated: repository.accepted === undefined ? false : 'manual', disabled: false }
  const times = { lastModified: '2025-01-01T00:00:00.000Z', createdAt: '2025-01-01T00:00:00.000Z' }
  return { _id: '0', id: name, modelId: name, sha: commitOf(repository), ...rights, ...times, downloads: 0, likes: 0, tags: [], siblings }
}

interface TreeOptions extends HubServerOptions {
  readonly repository: ServedRepository
}

function sendTree(response: ServerResponse, url: URL, { repository, pageSize = 4, nextPageAt = url.origin }: TreeOptions): void {
  const paths = Object.keys(repository.files)
  const folders = new Set(paths.filter((path) => path.includes('/')).map((path) => path.replace(/\/[^/]*$/, '')))
  const entries = [
    ...[...folders].map((path) => ({ type: 'directory', oid: gitOid(path), size: 0, path })),
    ...Object.entries(repository.files).map(([path, content]) => fileEntry(path, Buffer.from(content))),
  ]
  const from = Number(url.searchParams.get('cursor') ?? 0)
  const next = new URL(`${url.pathname}${url.search}`, nextPageAt)
  next.searchParams.set('cursor', String(from + pageSize))
  if (from + pageSize < entries.length) response.setHeader('link', `<${next.href}>; rel="next"`)
  sendJson(response, entries.slice(from, from + pageSize))
}

function fileEntry(path: string, bytes: Buffer): object {
  const entry = { type: 'file', size: bytes.length, path }
  if (!isLarge(path)) return { ...entry, oid: gitOid(bytes) }
  const oid = etagOf(path, bytes)
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${bytes.length}\n`
  return { ...entry, oid: gitOid(pointer), lfs: { oid, size: bytes.length, pointerSize: pointer.length } }
}

function sendJson(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}

interface Listening {
  readonly address: string
  close(): Promise<void>
}

async function listen(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<Listening> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
