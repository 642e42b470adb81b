import type { Command } from 'commander'

import { nonEmpty } from './arguments.js'
import type { Reporter } from './reporter.js'

/** `pull REPO_ID[@REVISION]`: a checkpoint from the Hugging Face hub. */
export function addPullCommand(program: Command, reporter: Reporter): void {
  program
    .command('pull')
    .description('Fetches a checkpoint from the Hugging Face hub into its usual cache, and prints its folder, for `convert`.')
    .argument('<repository>', 'organisation/name, or organisation/name@revision', nonEmpty)
    .option('--verify', 'also read what is in the cache already, and fetch anew what is not what the hub has')
    .option('--verbose', 'say more on stderr; show the stack of a failure')
    .addHelpText('after', '\nHF_TOKEN, HF_TOKEN_PATH, HF_ENDPOINT, HF_HUB_OFFLINE, HF_HUB_CACHE and HF_HOME mean what they mean to the hub\'s own tools.')
    .action(async (repository: string, { verify }: { readonly verify?: true }) => {
      const { pull } = await import('./pull-action.js')
      await pull(repository, { verify: verify === true, reporter })
    })
}
