import type { SharpConstructor } from 'sharp'

let loading: Promise<SharpConstructor> | undefined

/** Loads the picture library at the first picture: it takes a while, and most processes see nothing but videos. */
export function loadSharp(): Promise<SharpConstructor> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    // Every picture is another one: a cache of operations would only grow, week by week.
    sharp.cache(false)
    // One picture, one thread: several come at once, and the model wants the other cores.
    sharp.concurrency(1)
    return sharp
  })
  return loading
}
