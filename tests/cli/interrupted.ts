/** Says its process id, and then when it is to stop, which it never does: for a test that sends it signals. */
import { onInterrupt } from '../../src/cli/interrupt.js'

onInterrupt({ warning: () => undefined }, 'stopping', () => {
  process.stdout.write('stopping\n')
})
process.stdout.write(`${process.pid}\n`)
