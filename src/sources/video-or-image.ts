import { type FileOptions, file } from './file.js'
import { image } from './image.js'
import { isImagePath } from './image/image-name.js'
import type { Source } from './source.js'

/**
 * Reads a file by its name: one that ends in `.jpg`, `.jpeg`, `.png` or `.webp` by `image`, any other by `file`.
 *
 * @param path Path or http(s) address.
 * @param options How a video is read.
 * @throws {StreamError} `SETTING_INVALID`.
 */
export function videoOrImage(path: string, options: Pick<FileOptions, 'sampling'>): Source {
  return isImagePath(path) ? image(path) : file(path, options)
}
