import { createRegistry } from '../registry.js'
import type { VisionTower } from '../part.js'
import { siglip } from './siglip.js'

/** Vision towers by name. Register your own before converting. */
export const visionTowers = createRegistry<VisionTower>('vision tower')
visionTowers.register('siglip', siglip)
