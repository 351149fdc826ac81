import { describe } from 'vitest'
import { appendCases } from './suite-append.ts'
import { followCases } from './suite-follow.ts'
import { readCases } from './suite-read.ts'
import { retryCases } from './suite-retry.ts'
import { givenLog, type LogHarness } from './suite-world.ts'

/**
 * What every adapter of the log must do. The numbers are those of the list of EventStoreDB's rules that the port was
 * made from. Not tested here, because the port does not offer it:
 *    5, 6, 17   expected revisions `any` and `stream_exists`: the port takes exact revisions only
 *   12 (part)   binary data and data that is not an object: events are JSON objects with a type
 *   23 (part)   not-found against truncated: the port reads both as empty
 *   27 (part)   positions that the log never gave: what becomes of them is the adapter's affair
 *   33          filters and checkpoints: a following sees the whole log
 *   39 to 45    truncation, deletion and stream metadata: the log never forgets
 * Skipped where the harness cannot do it: 20 (`loseNextAnswer`), 36 (`breakConnection`), 47 in part (`setNow`),
 * reopening (`reopen`).
 */
export function logSuite(name: string, open: () => Promise<LogHarness>): void {
  const given = givenLog(open)
  describe(`${name}: appending`, () => appendCases(given))
  describe(`${name}: repeating an append`, () => retryCases(given))
  describe(`${name}: reading`, () => readCases(given))
  describe(`${name}: following`, () => followCases(given))
}
