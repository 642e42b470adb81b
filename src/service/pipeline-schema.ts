import { z } from 'zod'

import { DEVICE_CHOICES } from '../model/device/device.js'

/** The longest a drain may take, in milliseconds: about 25 days. Node takes a longer timer for one of 1 ms. */
export const MOST_DRAIN_MS = 2 ** 31 - 1

/**
 * What a declaration must be. A pipeline may come from JavaScript, or from a file that nobody type-checked:
 * a value is only ever described by its type, as it may hold credentials.
 */
const schema = z.strictObject(
  {
    name: expected('a name', isText),
    model: expected('the folder of a bundle, a loaded model, or null for none', isModel).optional(),
    device: expected(`one of ${DEVICE_CHOICES.join(', ')}`, isDevice).optional(),
    sources: listOf('a source, as `file(…)` makes it', isSource).superRefine(refuseTwins),
    stream: expected('a function (frames, { model }) => results', (value) => typeof value === 'function'),
    sinks: listOf('a sink, as `jsonLines(…)` makes it', isSink).optional(),
    delivery: expected("'at-least-once' or 'exactly-once'", isDelivery).optional(),
    drainTimeoutMs: expected(`a whole number of milliseconds up to ${MOST_DRAIN_MS}`, isDrainTimeout).optional(),
  },
  { error: refuseDeclaration },
).superRefine(refuseIdleDevice)

/** Every mistake of a declaration, each one sentence with its path; none where it is right. */
export function pipelineMistakes(pipeline: unknown): readonly string[] {
  const checked = schema.safeParse(pipeline)
  return checked.success ? [] : checked.error.issues.map(toSentence)
}

function expected(what: string, isRight: (value: unknown) => boolean) {
  // Not the end of checking: the list around a wrong source is looked at, too.
  return z.custom<unknown>(isRight, { abort: false, error: ({ input }) => `to be ${what}, got ${describe(input)}` })
}

function listOf(what: string, isRight: (value: unknown) => boolean) {
  return z.array(expected(what, isRight), { error: ({ input }) => `to be a list, got ${describe(input)}` })
}

/** Zod's own issues about the declaration as a whole. */
function refuseDeclaration({ code, input, keys }: { code: string; input?: unknown; keys?: unknown }): string {
  if (code !== 'unrecognized_keys') {
    return `The pipeline is ${describe(input)}, not a declaration: export what \`definePipeline\` returns.`
  }
  const [unknown, known] = [keys as readonly string[], Object.keys(schema.shape)].map(quoted)
  return `A pipeline has no ${unknown ?? ''}: it has ${known ?? ''}.`
}

function refuseTwins(sources: readonly unknown[], context: z.RefinementCtx): void {
  const ids = new Set<string>()
  for (const [place, source] of sources.entries()) {
    if (!isSource(source)) continue
    const { id } = source
    const message = `Two sources have the id \`${id}\`: give each its own.`
    if (ids.has(id)) context.addIssue({ code: 'custom', path: [place, 'id'], message, params: { isSentence: true } })
    ids.add(id)
  }
}

/** A loaded model runs where it was loaded, and no model runs nowhere. */
function refuseIdleDevice({ model, device }: { model?: unknown; device?: unknown }, context: z.RefinementCtx): void {
  if (device === undefined || model === undefined || isText(model)) return
  const message = 'to be left out: it is for a model that is still to be loaded, from its folder'
  context.addIssue({ code: 'custom', path: ['device'], message })
}

function toSentence(issue: z.core.$ZodIssue): string {
  const isSentence = issue.path.length === 0 || (issue.code === 'custom' && issue.params?.isSentence === true)
  return isSentence ? issue.message : `Expected \`${pathText(issue.path)}\` ${issue.message}.`
}

/** A path as code says it: `sources[0].id`. */
function pathText(path: readonly PropertyKey[]): string {
  return path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('').replace(/^\./, '')
}

function quoted(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ')
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.trim() !== ''
}

function isModel(model: unknown): boolean {
  return model === null || isText(model) || (isObject(model) && typeof model.generate === 'function')
}

function isDevice(device: unknown): boolean {
  return DEVICE_CHOICES.some((choice) => choice === device)
}

function isSource(source: unknown): source is { readonly id: string } {
  return isObject(source) && isText(source.id) && isObject(source.streams)
}

function isSink(sink: unknown): boolean {
  return isObject(sink) && typeof sink.write === 'function'
}

function isDelivery(mode: unknown): boolean {
  return mode === 'at-least-once' || mode === 'exactly-once'
}

function isDrainTimeout(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_DRAIN_MS
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** The kind of a value, never its content. */
function describe(value: unknown): string {
  if (value === undefined || value === null || value === '') return value === '' ? 'an empty text' : String(value)
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  return `a value of type ${typeof value}`
}
