import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Real servers, real clients, two cores: more workers than cores only make each other late.
    maxWorkers: 2,
  },
})
