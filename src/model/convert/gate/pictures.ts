// Pictures of different kinds: what a tower makes of a flat one says little of what it makes of a busy one.
const KINDS: readonly ((x: number, y: number, channel: number, noise: () => number) => number)[] = [
  // A slope with a bright disc before it.
  (x, y, channel) => ((x - 0.4) ** 2 + (y - 0.5) ** 2 < 0.06 ? 230 - 60 * channel : 200 * x + 20 * channel),
  // A board of light and dark fields.
  (x, y, channel) => ((Math.floor(x * 12) + Math.floor(y * 12)) % 2 === 0 ? 30 : 210 - 25 * channel),
  // Noise.
  (_x, _y, _channel, noise) => noise() * 255,
  // Night with a few lights.
  (x, y, channel, noise) => (Math.sin(x * 40) * Math.sin(y * 37) > 0.97 ? 255 - 40 * channel : 12 + 6 * noise()),
]

/** How many pictures there are. */
export const PICTURES = KINDS.length

/**
 * Draws pictures to compare two towers with, the same each time.
 *
 * @param size Side of the square, in pixels.
 * @returns uint8 `[size, size, 3]` each.
 */
export function drawPictures(size: number): readonly Uint8Array[] {
  return KINDS.map((kind) => {
    const noise = createNoise()
    return Uint8Array.from({ length: size * size * 3 }, (_, index) => {
      const pixel = Math.floor(index / 3)
      return kind((pixel % size) / size, Math.floor(pixel / size) / size, index % 3, noise)
    })
  })
}

/** Numbers from 0 to 1 that look random (a linear congruence). */
function createNoise(): () => number {
  let state = 1
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
