import type { Command } from 'commander'

import type { DoctorFlags } from './doctor-action.js'
import { deviceOption } from './arguments.js'

/** `doctor`: what is here to run with, what is missing, and the command that would add it. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('Says what is here to run with, what is missing, and how to add it. Ends with 0 if videos can be asked about.')
    .addOption(deviceOption('ends with 1 as well where this device does not work'))
    .option('--json', 'print it as one line of JSON')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .action(async (flags: DoctorFlags) => {
      const { doctor } = await import('./doctor-action.js')
      await doctor(flags)
    })
}
