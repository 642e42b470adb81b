import { existsSync } from 'node:fs'

import { StreamError } from '../../../errors.js'

/** A model on a hub, at one of its revisions. */
export interface Repository {
  /** `organisation/name`; some old models have no organisation. */
  readonly name: string
  /** A branch, a tag or a commit. */
  readonly revision: string
}

const COMMIT = /^[0-9a-f]{40}$/

// The hub's own rules: up to 96 letters, digits, `-`, `_` and `.`; neither `--` nor `..`, and no dash or dot at the ends.
const PART = /^(?!.*(?:--|\.\.))\w(?:[\w.-]{0,94}\w)?$/
const REVISION = /^(?!.*\.\.)\w[\w./-]*$/

/** What the hub's default branch is called. */
const DEFAULT_REVISION = 'main'

/** Whether a revision is a whole commit, which never comes to mean another one. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision)
}

/** Whether a text looks like the name of a model on a hub, and not like a path. */
export function looksLikeRepository(text: string): boolean {
  const [name = '', revision = DEFAULT_REVISION, ...rest] = text.split('@')
  const parts = name.split('/')
  return rest.length === 0 && REVISION.test(revision) && parts.length === 2 && parts.every((part) => PART.test(part))
}

/**
 * Reads `REPO_ID[@REVISION]`.
 *
 * Both become parts of addresses and of paths in the cache, so nothing else is let through.
 *
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function parseRepository(text: string): Repository {
  const [name = '', revision = DEFAULT_REVISION, ...rest] = text.split('@')
  const parts = name.split('/')
  const isName = rest.length === 0 && parts.length <= 2 && parts.every((part) => PART.test(part)) && !name.endsWith('.git')
  if (!isName) {
    const message = `${JSON.stringify(text)} names no model of a hub. Write it as organisation/name or organisation/name@revision.`
    throw new StreamError('SETTING_INVALID', message)
  }
  if (REVISION.test(revision)) return { name, revision }
  const message = `${JSON.stringify(revision)} is no revision. Name a branch, a tag or a commit of ${name}, or leave it out.`
  throw new StreamError('SETTING_INVALID', message)
}

/** The repository as messages name it. */
export function shownRepository({ name, revision }: Repository): string {
  return revision === DEFAULT_REVISION ? name : `${name}@${revision}`
}

/**
 * Takes a folder, and tells a repository's name from one that isn't there.
 *
 * @throws {StreamError} `CHECKPOINT_NOT_FOUND`.
 */
export function expectFolder(path: string): string {
  if (existsSync(path) || !looksLikeRepository(path)) return path
  const advice = `If it is a model of the Hugging Face hub, fetch it first: tinyllava-stream pull ${path}`
  throw new StreamError('CHECKPOINT_NOT_FOUND', `There is no folder ${path}. ${advice}`)
}
