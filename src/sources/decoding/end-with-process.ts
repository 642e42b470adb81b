/** How to end each of the child processes that run. */
const running = new Set<() => void>()

/**
 * Ends a child process together with this one, also at a second Ctrl-C and after a crash: a decoder that waits for
 * a silent camera would go on alone. A `kill -9` of this process can't be noticed.
 *
 * @param kill Ends it at once, without anything asynchronous.
 * @returns What undoes it, once the child has ended.
 */
export function endWithProcess(kill: () => void): () => void {
  if (running.size === 0) process.on('exit', killAll)
  running.add(kill)
  return () => {
    running.delete(kill)
    if (running.size === 0) process.off('exit', killAll)
  }
}

function killAll(): void {
  for (const kill of running) kill()
}
