#!/usr/bin/env node
import { main } from './cli/main.js'

const status = await main(process.argv)
// What was printed is flushed first; then whatever a pipeline may have left open doesn't hold the process.
process.stdout.write('', () => process.exit(status))
