/** What can be said of a shape, in the order used everywhere: answers, label files, and the order of naming. */
export const KINDS = ['circle', 'square', 'triangle', 'star'] as const
export const COLOURS = ['red', 'green', 'blue', 'yellow', 'purple', 'orange'] as const
export const SIZES = ['small', 'large'] as const
export const MOTIONS = ['left', 'right', 'up', 'down', 'still'] as const
export const APPEARANCES = ['beginning', 'middle', 'end'] as const

export type Kind = (typeof KINDS)[number]
export type Colour = (typeof COLOURS)[number]
export type Size = (typeof SIZES)[number]
export type Motion = (typeof MOTIONS)[number]
export type Appearance = (typeof APPEARANCES)[number]
