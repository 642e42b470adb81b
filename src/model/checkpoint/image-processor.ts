import { z } from 'zod'

const side = z.int().min(1)

/** `preprocessor_config.json`: the image processor of the tower's base model, where it lies in the checkpoint's folder. */
export const imageProcessorSchema = z.object({
  /** A number alone is the square's side (SigLIP) or the shortest edge (CLIP, DINOv2). */
  size: z.union([side, z.object({ height: side, width: side, shortest_edge: side }).partial()]).optional(),
  crop_size: z.union([side, z.object({ height: side, width: side })]).optional(),
  do_resize: z.boolean().optional(),
  do_center_crop: z.boolean().optional(),
  do_rescale: z.boolean().optional(),
  do_normalize: z.boolean().optional(),
  image_mean: z.array(z.number()).length(3).optional(),
  image_std: z.array(z.number()).length(3).optional(),
  resample: z.int().optional(),
  rescale_factor: z.number().optional(),
})

/** What `preprocessor_config.json` says. */
export type ImageProcessorConfig = z.infer<typeof imageProcessorSchema>
