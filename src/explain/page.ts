import type { ExplainedCandidate, ExplainedStep } from '../model/explain/explained-answer.js'
import { escapeHtml, visibleToken } from './escape.js'
import type { Explanation, SeenFrame } from './explanation.js'
import { heatMapPng } from './heat-map.js'
import { PAGE_STYLE } from './page-style.js'
import { patchRegion } from './patch-region.js'

// Nothing is fetched and nothing is run: the page can be sent around and opened anywhere.
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

/**
 * Writes an explanation as one HTML page that needs nothing else: no script, no network.
 *
 * ```
 * question, model
 * answer: each token a button, underlined from red (unlikely) to green (certain)
 * the chosen token: its probability, the likeliest others, how much went to the pictures
 * the frames, each with its share and a heat map over it; of a long answer's later tokens, of the answer alone
 * ```
 *
 * The arrow keys go from token to token. Printed, it shows all of them.
 *
 * @returns the page's text, UTF-8 to be.
 */
export async function explanationPage(explanation: Explanation): Promise<string> {
  const { title, question, model, frames, tokens, patches, warnings } = explanation
  const panels: string[] = []
  // One after the other: each draws as many maps as there are frames.
  for (const [index, token] of tokens.entries()) panels.push(await tokenPanel(token, index, explanation))
  panels.push(await answerPanel(explanation))
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${escapeHtml(`${question} – ${title}`)}</title>
<style>${PAGE_STYLE}${frames.map((frame, place) => frameStyle(frame, place, patches)).join('')}${tokens.map((_, index) => tokenStyle(index)).join('')}</style>
</head>
<body>
<h1>${escapeHtml(question)}</h1>
<p class="about">${escapeHtml(title)} · ${frames.length} ${frames.length === 1 ? 'picture' : 'pictures'} · ${escapeHtml(model)}</p>
${warnings.map((warning) => `<p class="warning">${escapeHtml(warning)}</p>\n`).join('')}${tokens.map((_, index) => `<input type="radio" name="token" id="t${index}"${index === 0 ? ' checked' : ''}>`).join('')}<input type="radio" name="token" id="all">
<input type="checkbox" id="heat" checked>
<p class="answer">${tokens.map(tokenLabel).join('')}</p>
<p class="controls"><label class="toggle" for="heat">Heat maps</label> <label class="toggle" for="all">Whole answer</label> \
<span class="hint">Choose a token; the arrow keys go on from it.${mapsHint(tokens)}</span></p>
<div class="panels">
${panels.join('\n')}
</div>
</body>
</html>
`
}

/** Each picture stands in the page once, whatever the number of tokens. */
function frameStyle(frame: SeenFrame, index: number, patches: Explanation['patches']): string {
  const picture = `aspect-ratio: ${frame.width} / ${frame.height}; background-image: url(${dataAddress('image/jpeg', frame.jpeg)})`
  const region = Object.entries(patchRegion(frame, patches)).map(([side, share]) => `${side}: ${(share * 100).toFixed(3)}%`)
  return `.f${index} { ${picture} }\n.f${index} img { ${region.join('; ')} }\n`
}

const tokenStyle = (index: number): string =>
  `#t${index}:checked ~ .panels > #p${index} { display: block } ` +
  `#t${index}:checked ~ .answer > [for=t${index}] { background: Highlight; color: HighlightText } ` +
  `#t${index}:focus-visible ~ .answer > [for=t${index}] { outline: 2px solid currentColor }\n`

function tokenLabel({ text, probability }: ExplainedStep, index: number): string {
  const style = `--probability: ${probability.toFixed(3)}`
  return `<label for="t${index}" style="${style}" title="${percent(probability)}">${escapeHtml(visibleToken(text))}</label>`
}

/** A page with a map for each token of a long answer and each frame would be too large to be opened. */
function mapsHint(tokens: readonly ExplainedStep[]): string {
  const mapped = tokens.filter(({ maps }) => maps.length > 0).length
  return mapped === tokens.length ? '' : ` Tokens after number ${mapped} have no heat maps of their own; those of the whole answer are of all.`
}

/** What is shown of one token. */
async function tokenPanel(token: ExplainedStep, index: number, { frames, patches }: Pick<Explanation, 'frames' | 'patches'>): Promise<string> {
  const rows = [token, ...token.others].map(candidateRow)
  return `<section class="panel" id="p${index}">
<h2>Token ${index + 1}: what it could have been</h2>
<table>${rows.join('')}</table>
<h2>Where it looked: ${percent(token.pictureShare)} of its attention went to the pictures</h2>
${token.maps.length === 0 ? '<p class="hint">Where in them is shown for the whole answer.</p>' : await pictures(token.maps, { frames, patches })}
</section>`
}

/** What is shown of all tokens together. */
async function answerPanel({ maps, frames, patches }: Pick<Explanation, 'maps' | 'frames' | 'patches'>): Promise<string> {
  return `<section class="panel" id="panswer">
<h2>Where the whole answer looked</h2>
${await pictures(maps, { frames, patches })}
</section>`
}

/** The frames with how they were looked at. */
async function pictures(maps: readonly Float32Array[], { frames, patches }: Pick<Explanation, 'frames' | 'patches'>): Promise<string> {
  const most = strongest(maps)
  const figures = await Promise.all(frames.map((frame, place) => figure(frame, place, { map: maps[place], patches, most })))
  return `<div class="frames">${figures.join('')}</div>`
}

/**
 * What the strongest colour stands for: what one patch in a hundred reaches. Models look at some patch without meaning, and
 * much (Darcet et al. 2024): next to it nothing else would be seen.
 */
function strongest(maps: readonly Float32Array[]): number {
  const shares = maps.flatMap((map) => Array.from(map)).sort((a, b) => b - a)
  return Math.max(shares[Math.floor(shares.length / 100)] ?? 0, Number.MIN_VALUE)
}

const candidateRow = ({ text, probability }: ExplainedCandidate): string =>
  `<tr><td class="token">${escapeHtml(visibleToken(text))}</td>` +
  `<td><meter value="${probability.toFixed(4)}"></meter></td><td>${percent(probability)}</td></tr>`

/** How a token looked at one frame. */
interface Look {
  readonly map: Float32Array | undefined
  readonly patches: Explanation['patches']
  readonly most: number
}

async function figure({ ptsMs }: SeenFrame, place: number, { map = new Float32Array(), patches, most }: Look): Promise<string> {
  const share = map.reduce((sum, value) => sum + value, 0)
  const heat = dataAddress('image/png', await heatMapPng(map, patches, most))
  return (
    `<figure><div class="picture f${place}"><img alt="" src="${heat}"></div>` +
    `<figcaption>${(ptsMs / 1000).toFixed(1)} s · ${percent(share)}</figcaption></figure>`
  )
}

const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`

const dataAddress = (type: string, bytes: Uint8Array): string => `data:${type};base64,${Buffer.from(bytes).toString('base64')}`
