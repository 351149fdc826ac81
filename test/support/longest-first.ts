import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What starts several servers, or one after the other: a file that takes long must not be the last one to begin. */
const LONG = /\/test\/(faults|start|demo|analytics\/server|convergence)|-(restart|replay|nodes|logs|keys|crash)\.test/

/** The longest files first: as the last run measured them, or after a fresh checkout those that start most servers. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    if (files.every((file) => this.ctx.cache.getTestSpecificationResult(file) !== undefined)) return sorted
    const isLong = (file: TestSpecification): boolean => LONG.test(file.moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
