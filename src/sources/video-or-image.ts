import { type FileOptions, file } from './file.js'
import { image, isImageName } from './image.js'
import { httpAddress } from './remote-file/address.js'
import type { Source } from './source.js'

/** Whether `videoOrImage` takes a path for a picture. What is behind an address is always taken for a video. */
export const isImagePath = (path: string): boolean => httpAddress(path) === undefined && isImageName(path)

/**
 * Reads a file by its name: one that ends in `.jpg`, `.jpeg`, `.png` or `.webp` by `image`, any other by `file`.
 *
 * @param options How a video is read.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function videoOrImage(path: string, options: Pick<FileOptions, 'sampling'>): Source {
  return isImagePath(path) ? image(path) : file(path, options)
}
