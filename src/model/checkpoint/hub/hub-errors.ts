import { StreamError } from '../../../errors.js'
import { AskedToWait, waitAskedBy } from './asked-wait.js'
import { type Repository, shownRepository } from './repository.js'
import type { HubSettings } from './settings.js'

/** Whose answer it is, for messages. */
export interface HubTarget {
  readonly repository: Repository
  readonly settings: Pick<HubSettings, 'endpoint' | 'token'>
}

/** A hub that failed rather than refused: the same request may succeed later. */
const MAY_PASS = new Set([408, 425, 429])

/** What the hub says in `X-Error-Code`; as its Python client reads it (`hf_raise_for_status` in `utils/_http.py`). */
const BY_ERROR_CODE: Readonly<Record<string, (target: HubTarget) => StreamError>> = {
  RepoNotFound: repositoryUnknown,
  RevisionNotFound: revisionUnknown,
  GatedRepo: gated,
  EntryNotFound: (target) => answerInvalid(target, 'it lists a file that it does not have'),
}

/**
 * The error for an answer that is none of success.
 *
 * A hub that isn't told who asks answers 401 for what doesn't exist as well, so as not to give private models away.
 */
export function refusal(response: Response, target: HubTarget): StreamError {
  const { status, headers } = response
  const known = BY_ERROR_CODE[headers.get('x-error-code') ?? '']
  if (known !== undefined) return known(target)
  if (status >= 500 || MAY_PASS.has(status)) return failing(response, target)
  if (isElsewhere(response, target)) return unreachable(target, `its file server answered ${status}`)
  if (status === 401) return isTokenRefused(headers) ? tokenRefused(target) : repositoryUnknown(target)
  if (status === 403) return forbidden(target, headers.get('x-error-message'))
  if (status === 404) return repositoryUnknown(target)
  return answerInvalid(target, `it answered ${status}`)
}

/** The error for a hub that failed; where it said how long to wait, the cause is an `AskedToWait`. */
function failing(response: Response, target: HubTarget): StreamError {
  const waitMs = waitAskedBy(response, Date.now())
  if (waitMs === undefined) return unreachable(target, `it answered ${response.status}`)
  const reason = `it answered ${response.status} and asks to wait ${Math.ceil(waitMs / 1000)} s`
  return unreachable(target, reason, new AskedToWait(response.status, waitMs))
}

/** The error for a hub that can't be reached at the moment. */
export function unreachable({ settings: { endpoint } }: HubTarget, reason: string, cause?: unknown): StreamError {
  const advice = 'Check the network and HF_ENDPOINT, or try later: what was fetched so far is kept. HF_HUB_OFFLINE=1 takes what is in the cache'
  return new StreamError('HUB_UNREACHABLE', `${endpoint} can't be reached: ${reason}. ${advice}.`, { cause })
}

/** The error for an answer that no hub would give. */
export function answerInvalid({ settings: { endpoint } }: HubTarget, reason: string, cause?: unknown): StreamError {
  const message = `What ${endpoint} answers can't be used: ${reason}. Check that HF_ENDPOINT is the address of a hub.`
  return new StreamError('HUB_ANSWER_INVALID', message, { cause })
}

/** What ended a connection. Where a host has several addresses and all fail, the message itself is empty. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  // `fetch` hides what happened behind "fetch failed" and "terminated".
  return error.cause === undefined ? error.message : reasonOf(error.cause)
}

/** Whether a redirect led away from the hub, to where its large files lie. */
function isElsewhere({ url }: Response, { settings: { endpoint } }: HubTarget): boolean {
  return URL.canParse(url) && new URL(url).origin !== new URL(endpoint).origin
}

function isTokenRefused(headers: Headers): boolean {
  return headers.get('x-error-message') === 'Invalid credentials in Authorization header'
}

function tokenRefused({ settings: { endpoint } }: HubTarget): StreamError {
  return unauthorized(`${endpoint} doesn't accept the token. Make a new one there, and set HF_TOKEN or log in again.`)
}

function forbidden({ repository, settings: { endpoint, token } }: HubTarget, reason: string | null): StreamError {
  const said = reason === null ? '' : ` (${printable(reason)})`
  const advice = token === undefined ? 'Set HF_TOKEN to a token that may read it' : 'Use a token that may read it'
  return unauthorized(`${endpoint} doesn't let ${repository.name} be read${said}. ${advice}.`)
}

function gated({ repository: { name }, settings: { endpoint, token } }: HubTarget): StreamError {
  const next = token === undefined ? 'set HF_TOKEN to a token of that account' : 'use a token of that account which may read gated models'
  return unauthorized(`${name} is gated. Accept its terms at ${endpoint}/${name}, then ${next}.`)
}

function repositoryUnknown({ repository: { name }, settings: { endpoint, token } }: HubTarget): StreamError {
  const next = token === undefined ? 'for a private one set HF_TOKEN' : 'see that the token may read it'
  return new StreamError('HUB_REPOSITORY_UNKNOWN', `${endpoint} has no model ${name}, or it is private. Check the name; ${next}.`)
}

function revisionUnknown({ repository, settings: { endpoint } }: HubTarget): StreamError {
  const { name, revision } = repository
  const message = `${shownRepository(repository)}: ${name} has no revision ${revision}. ${endpoint}/${name}/tree/main lists its branches.`
  return new StreamError('HUB_REVISION_UNKNOWN', message)
}

function unauthorized(message: string): StreamError {
  return new StreamError('HUB_UNAUTHORIZED', message)
}

/** A server's words, cut and on one line. */
function printable(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').slice(0, 200)
}
