/** Every checkpoint that the three projects have published: what each is made of and how it lies on disk. */
import {
  type BaseLanguageModel, type BaseModel, CLIP_LARGE, GEMMA_2B, OPENELM_450M, PHI_2, QWEN25_3B, QWEN2_HALF_B, SO400M, STABLELM_2, TINYLLAMA, type Variant,
} from './bases.js'
import { type ConnectorSizes, groupResamplerTensors, mlp2xTensors, naiveResamplerTensors } from './connectors.js'
import { type TensorShape, below } from './shapes.js'

/** How a checkpoint lies on disk. */
export interface Layout {
  /** What docs/MODELS.md calls it. */
  readonly name: string
  readonly config: (parts: LayoutParts) => Readonly<Record<string, unknown>>
  /** Prefixes of tower, connector and language model. */
  readonly prefixes: readonly [tower: string, connector: string, language: string]
  /** Names that differ from the Factory's. */
  readonly rename?: (name: string) => string
}

/** What a layout describes. */
interface LayoutParts {
  readonly checkpoint: PublishedCheckpoint
  readonly tower: Variant
  readonly language: Variant
}

/** A published checkpoint. */
export interface PublishedCheckpoint {
  /** Its repository. */
  readonly repository: string
  readonly layout: Layout
  readonly tower: BaseModel
  readonly connector: keyof typeof CONNECTORS
  readonly language: BaseLanguageModel
  /** Frames of a clip to try it with. */
  readonly frames: number
  /** How they are taken, in words. */
  readonly sampling: string
}

const CONNECTORS = { groupresampler: groupResamplerTensors, naiveresampler: naiveResamplerTensors, mlp2x_gelu: mlp2xTensors }

// Of TinyLLaVA-Video's training scripts; its connectors alone read them.
const RESAMPLER = { num_queries: 512, group: 16, num_resampler_layers: 3 }

/** TinyLLaVA Factory's `save_pretrained`, which TinyLLaVA-Video has, too. */
const factory: Layout = {
  name: 'Factory',
  config: ({ checkpoint, tower, language }) => ({
    architectures: ['TinyLlavaForConditionalGeneration'],
    model_type: 'tinyllava',
    llm_model_name_or_path: checkpoint.language.path,
    tokenizer_name_or_path: checkpoint.language.path,
    vision_model_name_or_path: checkpoint.tower.path,
    connector_type: checkpoint.connector,
    text_config: language.config,
    vision_config: tower.config,
    vision_feature_layer: -2,
    vision_feature_select_strategy: 'patch',
    image_aspect_ratio: 'square',
    resampler_hidden_size: 768,
    tokenizer_model_max_length: checkpoint.connector === 'mlp2x_gelu' ? 2048 : 3072,
    tokenizer_padding_side: 'right',
    ...RESAMPLER,
  }),
  prefixes: ['vision_tower._vision_tower', 'connector._connector', 'language_model'],
}

/** TinyLLaVABench: the language model's own configuration, with the rest in `mm_…`. */
const legacy = (architecture: string): Layout => ({
  name: 'TinyLLaVABench',
  config: ({ checkpoint, tower, language }) => ({
    ...language.config,
    architectures: [architecture],
    model_type: architecture.toLowerCase(),
    mm_vision_tower: checkpoint.tower.path,
    mm_projector_type: checkpoint.connector,
    mm_vision_select_layer: -2,
    mm_vision_select_feature: 'patch',
    mm_hidden_size: tower.width,
    tokenizer_model_max_length: 3072,
    // Left out by the published ones, whose tower has its known sizes.
    ...(tower === checkpoint.tower.small && { vision_config: tower.config }),
  }),
  prefixes: ['model.vision_tower.vision_tower', 'model.mm_projector', ''],
})

/** transformers' own `LlavaForConditionalGeneration`. */
const llavaHf: Layout = {
  name: 'transformers',
  config: ({ tower, language }) => ({
    architectures: ['LlavaForConditionalGeneration'],
    model_type: 'llava',
    image_token_index: 32000,
    projector_hidden_act: 'gelu',
    text_config: language.config,
    vision_config: tower.config,
    vision_feature_layer: -2,
    vision_feature_select_strategy: 'default',
  }),
  prefixes: ['vision_tower', 'multi_modal_projector', 'language_model'],
  rename: (name) => name.replace('projector.0.', 'projector.linear_1.').replace('projector.2.', 'projector.linear_2.'),
}

const SIXTEEN = { frames: 16, sampling: '16 frames, uniform' }
// Not a multiple of the group: parts of different lengths.
const EACH_SECOND = { frames: 21, sampling: '1 frame a second' }
const PICTURE = { frames: 1, sampling: 'one picture' }
const PICTURES = { layout: factory, tower: SO400M, connector: 'mlp2x_gelu', ...PICTURE } as const
const LEGACY = { tower: SO400M, connector: 'mlp2x_gelu', ...PICTURE } as const

export const PUBLISHED: readonly PublishedCheckpoint[] = [
  { repository: 'Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Group-16-512', layout: factory, tower: SO400M, connector: 'groupresampler', language: QWEN25_3B, ...SIXTEEN },
  { repository: 'Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Group-1fps-512', layout: factory, tower: SO400M, connector: 'groupresampler', language: QWEN25_3B, ...EACH_SECOND },
  { repository: 'Zhang199/TinyLLaVA-Video-Qwen2.5-3B-Naive-16-512', layout: factory, tower: SO400M, connector: 'naiveresampler', language: QWEN25_3B, ...SIXTEEN },
  { repository: 'Zhang199/TinyLLaVA-Video-Phi2-Naive-16-512', layout: factory, tower: SO400M, connector: 'naiveresampler', language: PHI_2, ...SIXTEEN },
  { repository: 'tinyllava/TinyLLaVA-Phi-2-SigLIP-3.1B', language: PHI_2, ...PICTURES },
  { repository: 'tinyllava/TinyLLaVA-Gemma-SigLIP-2.4B', language: GEMMA_2B, ...PICTURES },
  { repository: 'jiajunlong/TinyLLaVA-OpenELM-450M-SigLIP-0.89B', language: OPENELM_450M, ...PICTURES },
  { repository: 'Zhang199/TinyLLaVA-Qwen2-0.5B-SigLIP', language: QWEN2_HALF_B, ...PICTURES },
  { repository: 'Zhang199/TinyLLaVA-Qwen2.5-3B-SigLIP', language: QWEN25_3B, ...PICTURES },
  { repository: 'bczhou/TinyLLaVA-3.1B', layout: legacy('TinyLlavaPhiForCausalLM'), language: PHI_2, ...LEGACY },
  { repository: 'bczhou/TinyLLaVA-2.0B', layout: legacy('TinyLlavaStablelmForCausalLM'), language: STABLELM_2, ...LEGACY },
  { repository: 'bczhou/TinyLLaVA-1.5B', layout: legacy('TinyLlavaLlamaForCausalLM'), language: TINYLLAMA, ...LEGACY },
  { repository: 'bczhou/tiny-llava-v1-hf', layout: llavaHf, tower: CLIP_LARGE, connector: 'mlp2x_gelu', language: TINYLLAMA, ...PICTURE },
]

/** A checkpoint's `config.json` and tensors. */
export interface CheckpointContent {
  readonly config: Readonly<Record<string, unknown>>
  readonly tensors: readonly TensorShape[]
}

const unchanged = (name: string): string => name

/** What a published checkpoint holds, in its own size or in a small one. */
export function contentOf(checkpoint: PublishedCheckpoint, size: 'full' | 'small'): CheckpointContent {
  const { config, prefixes, rename = unchanged } = checkpoint.layout
  const [tower, language] = [checkpoint.tower[size], checkpoint.language[size]]
  const sizes: ConnectorSizes = { visionWidth: tower.width, width: language.width, ...RESAMPLER }
  const parts = [tower.tensors, CONNECTORS[checkpoint.connector](sizes), language.tensors]
  const tensors = parts.flatMap((part, place) => (prefixes[place] === '' ? part : below(prefixes[place] ?? '', part)))
  return { config: config({ checkpoint, tower, language }), tensors: tensors.map(([name, shape]) => [rename(name), shape]) }
}
