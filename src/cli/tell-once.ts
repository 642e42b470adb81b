/**
 * Tells each text the first time it comes: what is wrong with a video stands in every result about it.
 *
 * @param tell Told the text, and whatever came with it.
 */
export function tellOnce<Rest extends readonly unknown[]>(tell: (text: string, ...rest: Rest) => void): (text: string, ...rest: Rest) => void {
  const told = new Set<string>()
  return (text, ...rest) => {
    if (told.has(text)) return
    told.add(text)
    tell(text, ...rest)
  }
}
