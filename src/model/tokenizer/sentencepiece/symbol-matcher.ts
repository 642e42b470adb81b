/** The longest of some symbols that begins at a place of a text; undefined where none does. */
export type SymbolMatcher = (text: string, at: number) => string | undefined

/** Makes a matcher of a model's user-defined symbols: they are never normalised, cut or merged. */
export function createSymbolMatcher(symbols: readonly string[]): SymbolMatcher {
  const byFirst = new Map<string, string[]>()
  for (const symbol of symbols.toSorted((a, b) => b.length - a.length)) {
    const first = symbol.charAt(0)
    byFirst.set(first, [...(byFirst.get(first) ?? []), symbol])
  }
  return (text, at) => byFirst.get(text.charAt(at))?.find((symbol) => text.startsWith(symbol, at))
}
