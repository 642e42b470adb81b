/**
 * A chat template: the fixed text around a question. A plain value; a new one needs no code.
 *
 * A prompt is `system + user + assistant`; with each earlier round of a conversation `user + assistant + ' ' + answer +
 * endText` comes in between:
 *
 * ```
 * A chat between … questions. USER: <image>\n{question} ASSISTANT: {answer}<|endoftext|>USER: {question} ASSISTANT:
 * └──────── system ─────────┘└─ user ──────────────────┘└ assistant ┘     └─ endText ─┘└─ user ─────────┘└ assistant ┘
 * ```
 */
export interface Template {
  /** Name it is registered by, as the reference names it, e.g. `qwen2_base`. */
  readonly name: string
  /** Text before the first turn, with its closing space. */
  readonly system: string
  /** A user's turn around the question; `{question}` stands for it exactly once. Empty: the model is shown no question. */
  readonly user: string
  /** Text that makes the model answer. Ends without a space. */
  readonly assistant: string
  /** Text that ends an answer; generation stops where the last tokens are those of this text. */
  readonly endText: string
}

/** System text shared by the templates of TinyLLaVA_Factory. */
export const FACTORY_SYSTEM =
  'A chat between a curious user and an artificial intelligence assistant. ' +
  "The assistant gives helpful, detailed, and polite answers to the user's questions. "
