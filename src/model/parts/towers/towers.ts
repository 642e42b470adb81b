import { createRegistry } from '../registry.js'
import type { VisionTower } from '../part.js'
import { clip } from './clip.js'
import { dinov2 } from './dinov2.js'
import { mof } from './mof.js'
import { siglip } from './siglip.js'

/** Vision towers by name. Register your own before converting. */
export const visionTowers = createRegistry<VisionTower>('vision tower')
visionTowers.register('clip', clip)
visionTowers.register('dinov2', dinov2)
visionTowers.register('mof', mof)
visionTowers.register('siglip', siglip)
