/**
 * Where a built file lies that a worker or a child process runs: beside the built caller, or in `dist/` where the
 * caller runs from source, which Node 20 can't run by itself (`npm test` builds it first).
 *
 * @param callerUrl `import.meta.url` of a file below `src/model` or `dist/model`.
 * @param name File name, beside the caller.
 */
export function builtFile(callerUrl: string, name: string): URL {
  const built = callerUrl.endsWith('.ts') ? callerUrl.replace(/\/src\/(?=model\/)/, '/dist/') : callerUrl
  return new URL(name, built)
}
