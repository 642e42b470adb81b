import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Files of the project that git tracks or would track, by their paths from the root. */
function filesUnder(...folders: readonly string[]): readonly string[] {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', ...folders]
  const deleted = new Set(git(['ls-files', '--deleted']))
  return git(args).filter((path) => !deleted.has(path))
}

function git(args: readonly string[]): readonly string[] {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\n').filter((line) => line !== '')
}

interface Import {
  readonly from: string
  readonly to: string
  readonly isTypeOnly: boolean
}

const textOf = (path: string): string => readFileSync(join(root, path), 'utf8')
const parse = (path: string): ts.SourceFile => ts.createSourceFile(path, textOf(path), ts.ScriptTarget.ES2023, true)

/** Everything a file imports or exports from elsewhere, `import()` included. */
function importsOf(path: string): readonly Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, isTypeOnly: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return
    found.push({ from: path, to: specifier.text, isTypeOnly })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnlyImport(node))
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
    else if (ts.isCallExpression(node) && isImportKeyword(node.expression)) add(node.arguments[0], false)
    ts.forEachChild(node, visit)
  }
  visit(parse(path))
  return found
}

const isImportKeyword = ({ kind }: ts.Node): boolean => kind === ts.SyntaxKind.ImportKeyword

function isTypeOnlyImport({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { name, namedBindings } = importClause
  const named = namedBindings !== undefined && ts.isNamedImports(namedBindings) ? namedBindings.elements : []
  return name === undefined && named.length > 0 && named.every(({ isTypeOnly }) => isTypeOnly)
}

/** The file of `src` that a relative import means. */
const targetOf = ({ from, to }: Import): string => join(dirname(from), to).replace(/\.js$/, '.ts')

const sources = filesUnder('src').filter((path) => path.endsWith('.ts'))
const imports = sources.flatMap(importsOf)
const internal = imports.filter(({ to }) => to.startsWith('.'))

/** The part of `src` a file belongs to: its folder, or one of the files beside them. */
function partOf(path: string): string {
  const [, folder = '', ...rest] = path.split('/')
  if (rest.length > 0) return folder
  return ['index.ts', 'parts.ts', 'cli.ts'].includes(folder) ? folder : 'leaf'
}

/** What each part may import; `types of x`: only its types. Whatever is not here is forbidden. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  leaf: ['leaf'],
  sampling: ['leaf', 'sampling'],
  model: ['leaf', 'model'],
  kafka: ['leaf', 'kafka'],
  sources: ['leaf', 'sampling', 'types of model', 'kafka', 'sources'],
  operators: ['leaf', 'sampling', 'types of model', 'kafka', 'operators'],
  sinks: ['leaf', 'sampling', 'types of model', 'kafka', 'sinks'],
  explain: ['leaf', 'types of model', 'explain'],
  service: ['leaf', 'sampling', 'model', 'kafka', 'sources', 'operators', 'sinks', 'explain', 'service'],
  eval: ['leaf', 'sampling', 'model', 'sources', 'operators', 'sinks', 'service', 'eval'],
  'index.ts': ['leaf', 'sampling', 'model', 'kafka', 'sources', 'operators', 'sinks', 'explain', 'service', 'eval'],
  'parts.ts': ['leaf', 'model'],
  cli: ['leaf', 'sampling', 'model', 'sources', 'operators', 'sinks', 'explain', 'service', 'eval', 'index.ts', 'parts.ts', 'cli'],
  'cli.ts': ['cli'],
}

describe('one direction', () => {
  test('there is something to check', () => {
    expect(sources.length).toBeGreaterThan(100)
    expect(new Set(sources.map(partOf))).toEqual(new Set(Object.keys(ALLOWED)))
  })

  test('each part imports only what stands below it', () => {
    const forbidden = internal.filter((found) => {
      const [from, to] = [partOf(found.from), partOf(targetOf(found))]
      const allowed = ALLOWED[from] ?? []
      return !allowed.includes(to) && !(found.isTypeOnly && allowed.includes(`types of ${to}`))
    })
    expect(forbidden).toEqual([])
  })

  test('every import means a file that is there', () => {
    const known = new Set(sources)
    expect(internal.filter((found) => !known.has(targetOf(found)))).toEqual([])
  })

  test('there are no cycles, types included', () => {
    const targets = (path: string) => internal.filter(({ from }) => from === path).map(targetOf)
    expect(findCycle(new Map(sources.map((path) => [path, targets(path)])))).toEqual([])
  })

  test('pipelines import the package, and nothing of its inside', () => {
    const pipelines = filesUnder('pipelines').filter((path) => path.endsWith('.ts'))
    expect(pipelines).not.toEqual([])
    const outside = pipelines.flatMap(importsOf).filter(({ to }) => !/^(tinyllava-stream|rxjs|node:.*)$/.test(to))
    expect(outside).toEqual([])
  })
})

/** The files of one cycle, or none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): readonly string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path]
    if (done.has(path)) return []
    for (const next of graph.get(path) ?? []) {
      const cycle = walk(next, [...trail, path])
      if (cycle.length > 0) return cycle
    }
    done.add(path)
    return []
  }
  for (const path of graph.keys()) {
    const cycle = walk(path, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

test('findCycle finds one', () => {
  const graph = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', []],
    ['d', ['b']],
  ])
  expect(findCycle(graph)).toEqual(['b', 'd', 'b'])
})

describe('rules of the house', () => {
  test('rxjs is used by its public entrance, and not at all in model/', () => {
    const rxjs = imports.filter(({ to }) => to.startsWith('rxjs'))
    expect(rxjs.filter(({ to }) => to !== 'rxjs')).toEqual([])
    expect(rxjs.filter(({ from }) => partOf(from) === 'model')).toEqual([])
  })

  test('the public API is a list of names', () => {
    const stars = sources.filter((path) => /^export \*/m.test(textOf(path)))
    expect(stars).toEqual([])
  })

  test('only the console sink and the command line write to the terminal', () => {
    const prints = /\bconsole\.(log|error|warn|info|debug)\b|process\.std(out|err)/
    const writers = sources.filter((path) => prints.test(codeOf(path)))
    expect(writers.filter((path) => path !== 'src/sinks/console.ts' && !/^src\/cli[./]/.test(path))).toEqual([])
  })

  test('signals and the end of the process are the command line’s', () => {
    // Whoever started something may end it when the process ends by somebody else's will.
    const users = sources.filter((path) => /process\.((on|once)\((?!'exit')|exit\b)/.test(codeOf(path)))
    expect(users.filter((path) => !/^src\/(cli[./]|model\/runtime\/)/.test(path))).toEqual([])
  })

  test('no file is longer than 400 lines', () => {
    const code = filesUnder('src', 'pipelines').filter((path) => path.endsWith('.ts'))
    expect(code.filter((path) => textOf(path).split('\n').length > 400)).toEqual([])
  })

  test('every exported function, class and type is documented', () => {
    expect(sources.filter((path) => path !== 'src/index.ts').flatMap(undocumentedExports)).toEqual([])
  })

  test('no path of one machine is written down', () => {
    const own = relative(root, fileURLToPath(import.meta.url))
    const texts = filesUnder('src', 'pipelines', 'scripts', 'tests', 'docs', 'README.md', 'package.json')
    const readable = texts.filter((path) => path !== own && /\.(ts|js|py|sh|md|json)$/.test(path))
    expect(readable.length).toBeGreaterThan(200)
    const ownPath = /(^|[\s"'`(=:])\/(home|Users|root|work|mnt)\/(?!me\b)\w/
    expect(readable.filter((path) => ownPath.test(textOf(path)))).toEqual([])
  })
})

/** The text of a file without its comments. */
function codeOf(path: string): string {
  return textOf(path).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
}

function undocumentedExports(path: string): readonly string[] {
  return parse(path).statements.flatMap((statement) => {
    if (!ts.canHaveModifiers(statement) || ts.isVariableStatement(statement)) return []
    const isExported = ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
    if (isExported !== true || ts.getJSDocCommentsAndTags(statement).length > 0) return []
    return [`${path}: ${statement.getText().split('\n')[0] ?? ''}`]
  })
}
