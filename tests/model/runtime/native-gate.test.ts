import { execFileSync, spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { closeGate, createGate, guardExit, throughGate } from '../../../src/model/runtime/native-gate.js'
import { type ConvertedCase, convertCase, readCase } from '../../support/cases.js'

describe('the gate', () => {
  test('lets work through, and shows that someone is in', async () => {
    const cells = createGate()
    await throughGate(cells, () => {
      expect([...cells]).toEqual([1, 0])
      return Promise.resolve()
    })
    expect([...cells]).toEqual([0, 0])
  })

  test('is left also by work that fails', async () => {
    const cells = createGate()
    await expect(throughGate(cells, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
    expect([...cells]).toEqual([0, 0])
  })

  test('lets nothing through once it is closed', async () => {
    const cells = createGate()
    closeGate(cells)
    let hasRun = false
    const work = throughGate(cells, () => {
      hasRun = true
      return Promise.resolve()
    })
    await expect(work).rejects.toMatchObject({ code: 'MODEL_DISPOSED' })
    expect([hasRun, [...cells]]).toEqual([false, [0, 1]])
  })

  test('adds one listener to the process for all models, and takes it away with the last', () => {
    const before = process.listenerCount('exit')
    const releases = [createGate(), createGate(), createGate()].map(guardExit)
    expect(process.listenerCount('exit')).toBe(before + 1)
    for (const release of releases) release()
    expect(process.listenerCount('exit')).toBe(before)
  })
})

// Without the gate, each of these processes ends in `Napi::Error` and exit code 134.
describe('a process that ends while ONNX Runtime runs', () => {
  let bundle: ConvertedCase
  let script: string
  beforeAll(async () => {
    bundle = await convertCase(readCase('qwen2-truncated-3072'), 'fused')
    const library = new URL('../../../dist/model/load.js', import.meta.url).href
    script = `
      const { loadRuntime } = await import(${JSON.stringify(library)})
      const model = await loadRuntime(${JSON.stringify(bundle.directory)})
      const picture = { data: new Uint8Array(300).fill(99), width: 10, height: 10 }
      const visual = await model.connect(await model.encode(Array(16).fill(picture)))
      // While this thread hears of the first piece of text, the worker is at the next token: native work, nearly all of it.
      await new Promise((resolve) => { model.generate(visual, 'What?', { onDelta: resolve }).catch(() => {}) })
    `
  })
  afterAll(() => {
    bundle.remove()
  })

  const run = (end: string) =>
    spawnSync(process.execPath, ['--input-type=module', '--eval', script + end], { encoding: 'utf8' })

  test('by process.exit ends with the code it was given', () => {
    expect(run('process.exit(3)')).toMatchObject({ status: 3, stderr: '' })
  })

  test('by an uncaught error ends with code 1', () => {
    const { status, stderr } = run("throw new Error('on purpose')")
    expect([status, stderr.includes('on purpose'), stderr.includes('Napi')]).toEqual([1, true, false])
  })

  test('by dispose ends by itself', () => {
    expect(run('await model.dispose()')).toMatchObject({ status: 0, stderr: '' })
  })

  test('an idle model does not keep the process alive', () => {
    const idle = script.replace(/await new Promise[\s\S]*$/, '')
    expect(execFileSync(process.execPath, ['--input-type=module', '--eval', idle], { encoding: 'utf8' })).toBe('')
  })
})
