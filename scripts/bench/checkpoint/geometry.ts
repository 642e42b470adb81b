/** Sizes of a vision tower (SigLIP). */
export interface TowerGeometry {
  readonly width: number
  readonly inner: number
  /** The last one is in the checkpoint, and never runs: features are taken before it. */
  readonly layers: number
  readonly heads: number
  /** Side of the picture, in pixels. */
  readonly image: number
  /** Side of a patch, in pixels. */
  readonly patch: number
}

/** Sizes of a group resampler. */
export interface ConnectorGeometry {
  readonly group: number
  readonly queries: number
  readonly layers: number
}

/** Sizes of a language model (Qwen2), its head tied to its embeddings. */
export interface TextGeometry {
  readonly width: number
  readonly inner: number
  readonly layers: number
  readonly heads: number
  readonly keyValueHeads: number
  readonly vocabulary: number
}

/** All sizes of a checkpoint; what its speed depends on. */
export interface Geometry {
  /** Names the checkpoint's folder. */
  readonly name: string
  readonly tower: TowerGeometry
  readonly connector: ConnectorGeometry
  readonly text: TextGeometry
}

const SO400M: TowerGeometry = { width: 1152, inner: 4304, layers: 27, heads: 16, image: 384, patch: 14 }
const SMALL_TOWER: TowerGeometry = { width: 64, inner: 128, layers: 3, heads: 4, image: 56, patch: 14 }

const QWEN25_3B: TextGeometry = { width: 2048, inner: 11008, layers: 36, heads: 16, keyValueHeads: 2, vocabulary: 151936 }
const SMALL_TEXT: TextGeometry = { width: 128, inner: 256, layers: 2, heads: 4, keyValueHeads: 2, vocabulary: 640 }

const GROUP_16_512: ConnectorGeometry = { group: 16, queries: 512, layers: 3 }
const SMALL_CONNECTOR: ConnectorGeometry = { group: 2, queries: 32, layers: 1 }

/** TinyLLaVA-Video-Qwen2.5-3B-Group-16-512: 7.2 GB in BF16. */
export const FULL_SIZE: Geometry = { name: 'full-size', tower: SO400M, connector: GROUP_16_512, text: QWEN25_3B }

/** The full-size tower alone; the rest as small as it can be. 0.9 GB in BF16. */
export const TOWER_ONLY: Geometry = { name: 'tower-only', tower: SO400M, connector: SMALL_CONNECTOR, text: SMALL_TEXT }

/** The full-size language model alone; the rest as small as it can be. 6.2 GB in BF16. */
export const TEXT_ONLY: Geometry = { name: 'text-only', tower: SMALL_TOWER, connector: SMALL_CONNECTOR, text: QWEN25_3B }

/** A few megabytes of everything: to see that nothing breaks. */
export const SMALL: Geometry = { name: 'small', tower: SMALL_TOWER, connector: SMALL_CONNECTOR, text: SMALL_TEXT }

/** The same with fewer layers in tower and language model; the widths stay. */
export function withLayers(geometry: Geometry, layers: number | undefined): Geometry {
  if (layers === undefined) return geometry
  const { name, tower, text } = geometry
  return { ...geometry, name: `${name}-${layers}-layers`, tower: { ...tower, layers }, text: { ...text, layers } }
}

/** Floating point operations of one frame in the tower's matrix products. */
export function operationsPerFrame({ width, inner, layers, image, patch }: TowerGeometry): number {
  const tokens = Math.floor(image / patch) ** 2
  const projections = 4 * width * width + 2 * width * inner
  const attention = 2 * tokens * width
  return 2 * tokens * ((layers - 1) * (projections + attention) + 3 * patch * patch * width)
}
