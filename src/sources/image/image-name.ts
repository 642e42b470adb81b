import { extname } from 'node:path'

import { httpAddress, remoteFileName } from '../remote-file/address.js'

/** Extensions that pictures have, in lower case. */
const IMAGE_EXTENSIONS: readonly string[] = ['.jpg', '.jpeg', '.png', '.webp']

/** Whether the name is that of a picture. */
export const isImageName = (name: string): boolean => IMAGE_EXTENSIONS.includes(extname(name).toLowerCase())

/**
 * Whether a path or an http(s) address is taken for a picture: by its name, as nothing is opened.
 *
 * @throws {StreamError} `SETTING_INVALID`: it begins like an address and can't be read.
 */
export function isImagePath(path: string): boolean {
  const address = httpAddress(path)
  return isImageName(address === undefined ? path : remoteFileName(address))
}
