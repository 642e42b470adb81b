import { describe, expect, test } from 'vitest'

import { findByName } from '../../../src/model/parts/find-part.js'
import { createRegistry } from '../../../src/model/parts/registry.js'

interface Part {
  readonly title: string
  readonly matches?: RegExp
}

function registryOf(parts: Readonly<Record<string, Part>>) {
  const registry = createRegistry<Part>('connector')
  for (const [name, part] of Object.entries(parts)) registry.register(name, part)
  return registry
}

const mlp: Part = { title: 'MLP', matches: /mlp\d+x_\w+/ }

describe('a part by its name', () => {
  const registry = registryOf({ linear: { title: 'linear' }, mlpNx_gelu: mlp, resampler: { title: 'resampler' } })

  test('is the one of exactly that name, or the one whose pattern matches all of it', () => {
    expect(findByName(registry, 'linear').title).toBe('linear')
    expect(findByName(registry, 'mlp12x_gelu').title).toBe('MLP')
  })

  test.each(['groupresampler', 'my_mlp2x_gelu', 'mlp2x_gelu!', 'mlpx_gelu', 'LINEAR', ''])('%j is no guess: it is unknown', (name) => {
    expect(() => findByName(registry, name)).toThrow(expect.objectContaining({
      code: 'PART_UNKNOWN',
      message: `There is no connector \`${name}\`. Known: linear, mlpNx_gelu, resampler.`,
    }))
  })

  test('a name goes before a pattern, and two patterns are one too many', () => {
    const own = registryOf({ mlpNx_gelu: mlp, mlp2x_gelu: { title: 'my own' }, other: { title: 'other', matches: /mlp3.*|4/ } })
    expect(findByName(own, 'mlp2x_gelu').title).toBe('my own')
    expect(findByName(own, '4').title).toBe('other')
    expect(() => findByName(own, 'mlp3x_gelu')).toThrow(expect.objectContaining({
      code: 'PART_UNKNOWN', message: expect.stringContaining('mlpNx_gelu, other') as string,
    }))
  })
})
