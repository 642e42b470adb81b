import type { Command } from 'commander'

import { templates } from '../model/parts/templates/templates.js'
import { nonEmpty, nonEmptyList, wrongUse } from './arguments.js'

/** `--parts FILE`, any number of times: what they register is there before the command begins. */
export function addPartsOption(command: Command): Command {
  return command
    .option('--parts <file>', 'TypeScript or JavaScript file that registers parts of your own; may be given again', nonEmptyList)
    .hook('preAction', async (_command, action) => {
      const { parts = [] } = action.opts<{ parts?: readonly string[] }>()
      if (parts.length === 0) return
      const { loadParts } = await import('./load-parts.js')
      await loadParts(parts)
    })
}

/** `--template NAME`: a registered one, also by `--parts`, which must be added first. */
export function addTemplateOption(command: Command, description: string): Command {
  return command
    .option('--template <name>', `${description}; one of ${templates.names().join(', ')}, or one of your own`, nonEmpty)
    .hook('preAction', (_command, action) => {
      const { template } = action.opts<{ template?: string }>()
      if (template === undefined || templates.has(template)) return
      const choices = `Allowed choices are ${templates.names().join(', ')}.`
      wrongUse(action, `option '--template <name>' argument '${template}' is invalid. ${choices}`)
    })
}
