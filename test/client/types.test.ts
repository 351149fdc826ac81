import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { clientTypes } from '../../scripts/client-types-text.ts'

test('[CLIENT-1] the types of the typed client are those of the shapes: otherwise run npm run client-types', () => {
  expect(readFileSync(join(import.meta.dirname, '../../client/src/events.ts'), 'utf8')).toBe(clientTypes())
})
