import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { escapeHtml, visibleToken } from '../../src/explain/escape.js'
import type { Explanation } from '../../src/explain/explanation.js'
import { heatMapPng } from '../../src/explain/heat-map.js'
import { explanationPage } from '../../src/explain/page.js'
import { patchRegion } from '../../src/explain/patch-region.js'
import { encodeJpeg } from '../../src/image-codec.js'
import { describeWithBrowser } from '../support/browser.js'

const patches = { rows: 2, columns: 3, padsPictures: false }
const [WIDTH, HEIGHT] = [60, 40]

/** Two grey pictures, three tokens; the second token looks at the second picture's lower right patch only. */
async function anExplanation(): Promise<Explanation> {
  const jpeg = await encodeJpeg({ width: WIDTH, height: HEIGHT, data: new Uint8Array(WIDTH * HEIGHT * 3).fill(128) })
  const frames = [0, 1500].map((ptsMs) => ({ jpeg, width: WIDTH, height: HEIGHT, ptsMs }))
  const even = (): Float32Array => new Float32Array(6).fill(1 / 12)
  const token = (text: string, maps = [even(), even()]) => ({
    text, probability: 0.5, pictureShare: 0.25, maps,
    others: [{ text: '<script>alert(1)</script>', probability: 0.3 }, { text: '\n', probability: 0.04 }],
  })
  return {
    title: 'a "clip" <1>.mp4',
    question: 'Is <b>this</b> a circle?',
    answer: 'It is',
    warnings: ['<half> of it is missing.'],
    model: 'demo',
    frames,
    tokens: [token('It'), token(' is', [new Float32Array(6), Float32Array.of(0, 0, 0, 0, 0, 1)]), token('\n')],
    maps: [Float32Array.of(0.25, 0, 0, 0, 0, 0), Float32Array.of(0, 0, 0, 0, 0, 0.75)],
    patches,
  }
}

describeWithBrowser('the page, in a browser', (open) => {
  const folder = mkdtempSync(join(tmpdir(), 'tinyllava-stream-page-'))
  let browser: Browser
  let page: Page
  const heard: string[] = []
  beforeAll(async () => {
    const file = join(folder, 'page.html')
    writeFileSync(file, await explanationPage(await anExplanation()))
    browser = await open()
    page = await browser.newPage({ viewport: { width: 900, height: 700 } })
    page.on('console', (message) => { heard.push(message.text()) })
    page.on('request', (request) => { if (!/^(file|data):/.test(request.url())) heard.push(request.url()) })
    await page.goto(pathToFileURL(file).href)
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  const shownPanels = async (): Promise<(string | null)[]> => {
    const panels = await page.locator('.panel:visible').all()
    return Promise.all(panels.map((panel) => panel.getAttribute('id')))
  }

  test('shows question, answer and the first token, each as text', async () => {
    expect(await page.locator('h1').textContent()).toBe('Is <b>this</b> a circle?')
    expect(await page.locator('.about').textContent()).toBe('a "clip" <1>.mp4 · 2 pictures · demo')
    expect(await page.locator('.answer').textContent()).toBe('It is⏎')
    expect(await page.locator('.warning').allInnerTexts()).toEqual(['<half> of it is missing.'])
    expect(await shownPanels()).toEqual(['p0'])
    const rows = await page.locator('#p0 tr').allInnerTexts()
    expect(rows.map((row) => row.split(/\s*\t\s*/).filter((cell) => cell !== ''))).toEqual([
      ['It', '50 %'], ['<script>alert(1)</script>', '30 %'], ['⏎', '4.0 %'],
    ])
    expect(await page.locator('#p0 figcaption').allInnerTexts()).toEqual(['0.0 s · 50 %', '1.5 s · 50 %'])
  })

  test('a click chooses a token, the arrow keys go on from it', async () => {
    await page.locator('.answer label').nth(2).click()
    expect(await shownPanels()).toEqual(['p2'])
    await page.keyboard.press('ArrowLeft')
    expect(await shownPanels()).toEqual(['p1'])
    expect(await page.locator('#p1 figcaption').allInnerTexts()).toEqual(['0.0 s · 0.0 %', '1.5 s · 100 %'])
  })

  test('the heat map lies over the place that was looked at, and can be taken away', async () => {
    await page.locator('.answer label').nth(1).click()
    const colours = async (): Promise<readonly number[][]> => {
      const shot = await page.locator('#p1 .picture').nth(1).screenshot()
      const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true })
      const at = (x: number, y: number): number[] => {
        const place = (Math.floor(y * info.height) * info.width + Math.floor(x * info.width)) * 3
        return [...data.subarray(place, place + 3)]
      }
      return [at(0.1, 0.2), at(0.85, 0.8)]
    }
    const [upperLeft, lowerRight] = await colours()
    expect(upperLeft).toEqual([128, 128, 128])
    expect(lowerRight?.[0]).toBeGreaterThan(200)
    expect(lowerRight?.[2]).toBeLessThan(90)
    await page.locator('[for=heat]').click()
    expect((await colours())[1]).toEqual([128, 128, 128])
    await page.locator('[for=heat]').click()
  })

  test('the whole answer has maps of its own', async () => {
    await page.locator('[for=all]').click()
    expect(await shownPanels()).toEqual(['panswer'])
    expect(await page.locator('#panswer figcaption').allInnerTexts()).toEqual(['0.0 s · 25 %', '1.5 s · 75 %'])
    await page.keyboard.press('ArrowLeft')
    expect(await shownPanels()).toEqual(['p2'])
  })

  test('printed it shows every token', async () => {
    await page.emulateMedia({ media: 'print' })
    expect(await shownPanels()).toEqual(['p0', 'p1', 'p2', 'panswer'])
    await page.emulateMedia({ media: 'screen' })
  })

  test('asks nothing of the network and runs nothing', () => {
    expect(heard).toEqual([])
  })
})

test('each picture stands in the page once', async () => {
  const page = await explanationPage(await anExplanation())
  expect(page.match(/data:image\/jpeg/g)).toHaveLength(2)
})

test('of a long answer it says which tokens have maps, and shows none of the others', async () => {
  const { tokens, ...rest } = await anExplanation()
  const page = await explanationPage({ ...rest, tokens: tokens.map((token, place) => (place === 0 ? token : { ...token, maps: [] })) })
  expect(page).toContain('Tokens after number 1 have no heat maps of their own')
  expect(page.match(/<figure>/g)).toHaveLength(2 + 2)
  expect(await explanationPage(await anExplanation())).not.toContain('heat maps of their own')
})

test('a map of 27 x 27 places is small, whatever is on it', async () => {
  const map = Float32Array.from({ length: 27 * 27 }, (_, place) => Math.abs(Math.sin(place * place)))
  expect((await heatMapPng(map, { rows: 27, columns: 27, padsPictures: false }, 1)).byteLength).toBeLessThan(750)
})

test('the strongest place has the strongest colour, nothing is transparent', async () => {
  const png = await heatMapPng(Float32Array.of(0, 2, 4, NaN, 8, 1), patches, 4)
  const { data } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  const opacity = Array.from({ length: 6 }, (_, place) => data[place * 4 + 3] ?? -1)
  expect(opacity[0]).toBe(0)
  expect(opacity[3]).toBe(0)
  expect(opacity[2]).toBe(205)
  expect(opacity[4]).toBe(205)
  expect(opacity[1]).toBeGreaterThan(opacity[5] ?? NaN)
})

test.each([
  ['a squeezed frame: all of it', { width: 60, height: 40 }, {}, [0, 0, 1, 1]],
  ['a frame, though pictures are padded', { width: 60, height: 40 }, { padsPictures: true }, [0, 0, 1, 1]],
  ['a padded picture: the square around it', { width: 60, height: 40, kind: 'picture' as const }, { padsPictures: true }, [0, -0.25, 1, 1.5]],
  ['a cut centre: in the middle', { width: 60, height: 40 }, { crop: 1 }, [1 / 6, 0, 2 / 3, 1]],
  ['a cut centre, smaller than the shortest edge', { width: 60, height: 40 }, { crop: 0.5 }, [1 / 3, 0.25, 1 / 3, 0.5]],
  ['padded, then cut', { width: 20, height: 40, kind: 'picture' as const }, { crop: 0.5, padsPictures: true }, [0, 0.25, 1, 0.5]],
])('patches of %s', (_name, frame, grid, expected) => {
  const { left, top, width, height } = patchRegion(frame, { ...patches, ...grid })
  ;[left, top, width, height].forEach((share, place) => { expect(share).toBeCloseTo(expected[place] ?? NaN, 9) })
})

test.each([['a<b>&"\'', 'a&lt;b&gt;&amp;&quot;&#39;']])('escapes %s', (text, escaped) => {
  expect(escapeHtml(text)).toBe(escaped)
})

test.each([['', '∅'], [' ', '␣'], ['\n ', '⏎␣'], [' word', ' word']])('shows token %j as %j', (text, visible) => {
  expect(visibleToken(text)).toBe(visible)
})
