/** Rows of text as a table: the first column to the left, the others to the right, the first row underlined. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) => row.map((cell, column) => pad(cell, column, widths)).join('  '))
  const line = '-'.repeat(widths.reduce((sum, width) => sum + width, 2 * (columns - 1)))
  return [lines[0] ?? '', line, ...lines.slice(1)].map((text) => `${text.trimEnd()}\n`).join('')
}

function pad(cell: string, column: number, widths: readonly number[]): string {
  const width = widths[column] ?? 0
  return column === 0 ? cell.padEnd(width) : cell.padStart(width)
}
