import { DESCRIPTION_FILES } from '../description-files.js'

// Beside a model's own: what a LoRA folder says of itself.
const ADAPTER_DESCRIPTION = 'adapter_config.json'

/** One way weights are stored: a file `stem.extension`, or shards of it with their index. */
interface WeightForm {
  readonly stem: string
  readonly extension: 'safetensors' | 'bin'
}

/** Of each list the first form that is there in whole is taken: what needs no unpickling comes first. */
const MODEL_FORMS: readonly WeightForm[] = [
  { stem: 'model', extension: 'safetensors' },
  { stem: 'pytorch_model', extension: 'bin' },
]
const ADAPTER_FORMS: readonly WeightForm[] = [
  { stem: 'adapter_model', extension: 'safetensors' },
  { stem: 'adapter_model', extension: 'bin' },
]

/** Where the training's stages write weights part by part; a LoRA's base lies there, too. */
const PART_FOLDERS = ['language_model', 'vision_tower', 'connector']

/** What of a repository a conversion needs. */
export interface CheckpointFiles {
  readonly paths: readonly string[]
  /** What a checkpoint would have beside it, in words; undefined where it is one. */
  readonly lacking: string | undefined
}

/**
 * Chooses the files of a repository that a conversion needs: descriptions, the tokenizer and one form of the weights.
 * Everything else, code above all, stays where it is.
 *
 * @param all Paths of all files of the repository, with `/` between folders.
 */
export function chooseCheckpointFiles(all: readonly string[]): CheckpointFiles {
  const top = namesIn('', all)
  const [model, adapter] = [weightsOf(top, MODEL_FORMS), weightsOf(top, ADAPTER_FORMS)]
  const isWhole = model.length > 0 && adapter.length === 0
  const parts = isWhole ? [] : PART_FOLDERS.flatMap((folder) => chooseInFolder(folder, all))
  // An adapter is merged into the parts, whatever else lies beside it.
  const base = parts.length > 0 ? parts : model
  return {
    paths: [...top.filter((name) => DESCRIPTION_FILES.has(name) || name === ADAPTER_DESCRIPTION), ...adapter, ...base],
    lacking: !top.includes('config.json') ? 'config.json' : base.length > 0 ? undefined : WHOLE_WEIGHTS,
  }
}

const WHOLE_WEIGHTS = 'weights in whole (model.safetensors or pytorch_model.bin, single or with all shards and their index)'

function chooseInFolder(folder: string, all: readonly string[]): readonly string[] {
  const names = namesIn(`${folder}/`, all)
  const weights = weightsOf(names, MODEL_FORMS)
  if (weights.length === 0) return []
  return [...names.filter((name) => name === 'config.json'), ...weights].map((name) => `${folder}/${name}`)
}

/** Names of the files right below a folder. */
function namesIn(prefix: string, all: readonly string[]): readonly string[] {
  return all.filter((path) => path.startsWith(prefix) && !path.slice(prefix.length).includes('/')).map((path) => path.slice(prefix.length))
}

/** The files of the first form that is there in whole; none where there is none. */
function weightsOf(names: readonly string[], forms: readonly WeightForm[]): readonly string[] {
  return forms.map((form) => filesOf(form, names)).find((files) => files.length > 0) ?? []
}

function filesOf({ stem, extension }: WeightForm, names: readonly string[]): readonly string[] {
  const single = `${stem}.${extension}`
  if (names.includes(single)) return [single]
  const index = `${single}.index.json`
  const shard = new RegExp(`^${stem}-\\d{5}-of-(\\d{5})\\.${extension}$`)
  const counts = new Set(names.flatMap((name) => shard.exec(name)?.[1] ?? []))
  for (const count of counts) {
    const shards = names.filter((name) => shard.exec(name)?.[1] === count)
    if (names.includes(index) && shards.length === Number(count)) return [index, ...shards]
  }
  return []
}
