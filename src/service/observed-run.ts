import type { Run } from './start.js'

/** What is needed of a run to watch and to steer it from outside. */
export type ObservedRun = Pick<Run, 'answers$' | 'events$' | 'sources' | 'status'>
