import { fileURLToPath } from 'node:url'

/** Path of a Python script of `peers/`. */
export const peerScript = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url))
