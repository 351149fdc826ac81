import { writeFileSync } from 'node:fs'

/**
 * Loaded into a server by the memory bench (`--import`, `--expose-gc`): on SIGWINCH (which means nothing to a server)
 * it collects garbage and writes down what is left.
 */
process.on('SIGWINCH', () => {
  for (let n = 0; n < 3; n++) globalThis.gc?.()
  writeFileSync(process.env.BENCH_HEAP ?? '/dev/null', JSON.stringify(process.memoryUsage()))
})
