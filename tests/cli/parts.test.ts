/** `--parts`: what a user's file registers is there for the command, and its mistakes are one line. */
import { readFileSync, writeFileSync } from 'node:fs'

import { afterEach, beforeEach, describe, expect, test } from 'vitest'

import { manifestSchema } from '../../src/model/manifest.js'
import { type TemporaryFolder, copyCheckpoint, editConfig, temporaryFolder } from '../support/checkpoint-files.js'
import { linesOf, runCli } from './spawn-cli.js'

let folder: TemporaryFolder
beforeEach(() => { folder = temporaryFolder() })
afterEach(() => { folder.remove() })

function writeParts(name: string, text: string): string {
  writeFileSync(folder.file(name), text)
  return folder.file(name)
}

const connector = `
  import { type Connector, connectors, linear, reshape, widthOf } from 'tinyllava-stream/parts'
  const mine: Connector = {
    alone: 'always',
    build(module, features, _config, width) {
      const rows = reshape(module.graph, features, [-1, widthOf(features)], ['rows', widthOf(features)])
      return linear(module.child('_connector'), rows, width)
    },
  }
  connectors.register('my_linear', mine)
`
const template = `
  import { templates } from 'tinyllava-stream'
  import { z } from 'zod'
  const system = z.string().parse('Answer in one word. ')
  templates.register('terse', { ...templates.get('phi'), name: 'terse', system })
`

describe('convert', () => {
  test('finds a connector and a template of the user’s, each in a file of its own', async () => {
    copyCheckpoint('picture-linear', folder.file('checkpoint'))
    editConfig(folder.file('checkpoint'), (config) => { config.connector_type = 'my_linear' })
    const [checkpoint, bundle] = [folder.file('checkpoint'), folder.file('bundle')]
    const own = ['--parts', writeParts('connector.ts', connector), '--parts', writeParts('template.ts', template)]
    const { status, stderr } = await runCli(['convert', checkpoint, '--out', bundle, ...own, '--template', 'terse'])
    expect({ status, stderr: stderr.includes('Error') }).toEqual({ status: 0, stderr: false })
    const manifest = manifestSchema.parse(JSON.parse(readFileSync(folder.file('bundle/manifest.json'), 'utf8')))
    expect(manifest).toMatchObject({ template: 'terse', connector: { name: 'my_linear', framesAlone: 'always' } })
    const without = await runCli(['convert', checkpoint, '--out', folder.file('other')])
    expect(without.status).toBe(1)
    expect(without.stderr).toMatch(/^tinyllava-stream: PART_UNKNOWN: There is no connector `my_linear`\./)
  })

  test.each([
    ['is not there', undefined, 'There is no file'],
    ['can’t be parsed', 'const x: = 3', 'could not be loaded'],
    ['throws', "throw new Error('no luck')", 'could not be loaded: no luck'],
    ['takes a name that is taken', template.replaceAll('terse', 'llama'), 'A chat template named `llama` is registered already.'],
  ])('a file that %s is one line and exit code 1', async (_what, text, expected) => {
    const path = text === undefined ? folder.file('parts.ts') : writeParts('parts.ts', text)
    const { status, stdout, stderr } = await runCli(['convert', 'checkpoint', '--out', folder.file('bundle'), '--parts', path])
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(linesOf(stderr)).toEqual([expect.stringMatching(/^tinyllava-stream: SETTING_INVALID: /)])
    expect(stderr).toContain(expected)
  })
})

describe('ask', () => {
  test('knows a template of the user’s, and without its file does not', async () => {
    const asked = ['ask', folder.file('no-clip.mp4'), 'What?', '--template', 'terse']
    const known = await runCli([...asked, '--parts', writeParts('template.ts', template)])
    expect(known.stderr).toContain('VIDEO_NOT_FOUND')
    const unknown = await runCli(asked)
    expect(unknown.status).toBe(2)
    expect(unknown.stderr).toContain("argument 'terse' is invalid. Allowed choices are")
  })
})
