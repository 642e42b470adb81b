import { existsSync } from 'node:fs'

import { type Browser, chromium } from 'playwright-core'

import { describeOrSkip } from './describe-or-skip.js'

/** Where Debian, Ubuntu and others put it; `CHROMIUM` names another. */
const PLACES = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

const executablePath = PLACES.find((place) => place !== '' && existsSync(place))

/**
 * Like `describe`, for tests that need a browser; the body is handed what starts one. Where there is none it skips them,
 * with the reason in the name; with CI_NO_SKIP=1 it throws instead.
 */
export function describeWithBrowser(name: string, body: (open: () => Promise<Browser>) => void): void {
  // Root needs --no-sandbox, and only pages of our own are opened. What Chromium asks of the network by itself is turned off.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync']
  const open = (): Promise<Browser> => chromium.launch({ executablePath: executablePath ?? '', args })
  const reason = executablePath === undefined ? 'no Chromium: scripts/setup-servers.sh installs it, CHROMIUM names one' : undefined
  describeOrSkip(name, reason, () => { body(open) })
}
