/** The looks of the page; which token is shown follows from the radio button that is checked. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { margin: 0 auto; padding: 1.5rem; max-width: 78rem }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 1.2rem 0 .4rem }
.warning { color: #d7263d }
.about, figcaption, .hint { font-size: .85rem; opacity: .75 }
input[name=token], #heat { position: absolute; opacity: 0; pointer-events: none }
.answer { font-size: 1.15rem; margin: 1rem 0; white-space: pre-wrap }
.answer label, .toggle { cursor: pointer; border-radius: .25rem; padding: .1rem .15rem }
.answer label { border-bottom: .2rem solid color-mix(in srgb, #2a9d4a calc(var(--probability) * 100%), #d7263d) }
.toggle { border: 1px solid var(--line); padding: .2rem .6rem; font-size: .85rem }
.panel { display: none }
table { border-collapse: collapse } td { padding: .1rem .8rem .1rem 0 } td.token { font-family: ui-monospace, monospace; white-space: pre }
meter { width: 9rem }
.frames { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .8rem }
figure { margin: 0 }
.picture { position: relative; overflow: hidden; border-radius: .3rem; background-size: 100% 100% }
.picture img { position: absolute }
#heat:not(:checked) ~ .panels img { display: none }
#heat:checked ~ .controls [for=heat] { background: var(--line) }
#heat:focus-visible ~ .controls [for=heat] { outline: 2px solid Highlight }
#all:checked ~ .panels > #panswer { display: block }
#all:checked ~ .controls [for=all] { background: Highlight; color: HighlightText }
#all:focus-visible ~ .controls [for=all] { outline: 2px solid currentColor }
@media print { .panel { display: block; break-inside: avoid } .controls { display: none } }
`
