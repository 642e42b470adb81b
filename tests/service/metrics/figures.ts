/** The figures of a text for Prometheus, by name and labels: `name{label="value"}`, or `name` alone. */
export type Figures = ReadonlyMap<string, number>

/** Reads the text that Prometheus is given; every line that isn't a comment must be a figure. */
export function parseFigures(text: string): Figures {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\w+(?:\{.*\})?) ([-+\d.eE]+|nan|[-+]?inf)$/i.exec(line) ?? []
      if (name === undefined) throw new Error(`This is no figure: ${line}`)
      return [name.replaceAll(/,?\w+=""/g, '').replace('{}', ''), Number(value)]
    }),
  )
}

/** The sum of all series of a name whose labels hold this text. */
export function sumOf(figures: Figures, name: string, labels = ''): number {
  const isMeant = (key: string): boolean => (key === name || key.startsWith(`${name}{`)) && key.includes(labels)
  return [...figures].filter(([key]) => isMeant(key)).reduce((sum, [, value]) => sum + value, 0)
}
