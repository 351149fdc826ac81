import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'
import { PATIENCE_MS } from './test/support/patience.ts'

/** Tests of pure functions, and of the files themselves: they start nothing and need nothing of the machine. */
const PURE = [
  'test/{architecture,charts,clock,config,histories,readme,rules}.test.ts',
  'test/{machines,policies,projections,runtime}/**/*.test.ts',
]

export default defineConfig({
  test: {
    // Whoever waits for a fact gives up by itself and says what it waited for; this is for whoever does not.
    testTimeout: 4 * PATIENCE_MS,
    hookTimeout: 4 * PATIENCE_MS,
    expect: { poll: { timeout: PATIENCE_MS } },
    // One more than cores: much of a test that waits for a grace or for a server is waiting.
    maxWorkers: availableParallelism() + 1,
    // A worker of its own for each file would be a seventh of the whole run; no file leaves anything behind.
    isolate: false,
    sequence: { sequencer: LongestFirst },
    env: { NODE_COMPILE_CACHE: join(import.meta.dirname, 'node_modules/.cache/compiled') },
    projects: [
      { extends: true, test: { name: 'pure', include: PURE } },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/**/*.test.ts'],
          exclude: PURE,
          globalSetup: 'test/support/machine-needs.ts',
          setupFiles: 'test/support/measure-slowness.ts',
        },
      },
    ],
  },
})
