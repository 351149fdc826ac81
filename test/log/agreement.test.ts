import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codec } from '../../src/log/codec.ts'
import { openEmbeddedLog } from '../../src/log/embedded.ts'
import { type Log, type Proposed, type Recorded, WrongRevision } from '../../src/log/log.ts'
import { memoryLog } from '../../src/log/memory.ts'
import { gather, note } from './suite-world.ts'

/** What must be the same everywhere; positions are each log's own, so an event is named by stream and revision. */
type Place = `${string}@${number} ${string}`
const place = ({ stream, revision, id }: Known): Place => `${stream}@${revision} ${id}`

type Known = Pick<Recorded, 'stream' | 'revision' | 'id'>

const of = (model: readonly Known[], stream: string): Known[] => model.filter((event) => event.stream === stream)

/**
 * The rules of appending in as few lines as can be: revision of the append's last event, or the conflict's actual
 * revision.
 */
function appendTo(
  model: Known[],
  stream: string,
  expected: number,
  ids: readonly string[],
): { revision: number } | { actual: number } {
  const before = of(model, stream)
  if (expected === before.length - 1)
    model.push(...ids.map((id, index) => ({ stream, revision: before.length + index, id })))
  else {
    const there = before.slice(expected + 1, expected + 1 + ids.length).map(({ id }) => id)
    if (there.join() !== ids.join()) return { actual: before.length - 1 }
  }
  return { revision: expected + ids.length }
}

const stream = fc.constantFrom('a', 'b', 'a-')
const direction = { backwards: fc.boolean(), limit: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }) }

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never
const step = fc.oneof(
  // Several at the same moment: one flush takes them all. `ids` are few, so that repeats and partial repeats happen.
  fc.record({
    kind: fc.constant('append' as const),
    appends: fc.array(
      fc.record({
        stream,
        off: fc.constantFrom(0, 0, 0, 0, -1, -2, 1),
        ids: fc.array(fc.nat(5), { minLength: 1, maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 5 },
    ),
  }),
  fc.record({
    kind: fc.constant('read' as const),
    stream,
    from: fc.option(fc.nat(8), { nil: undefined }),
    ...direction,
  }),
  fc.record({ kind: fc.constant('readAll' as const), index: fc.option(fc.nat(12), { nil: undefined }), ...direction }),
  fc.record({
    kind: fc.constant('follow' as const),
    index: fc.constantFrom('start' as const, 'end' as const, 0, 1, 3),
  }),
)

const idOf = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

/** Without the fields that are undefined: the options say "absent", not "undefined". */
const given = <T extends object>(options: T) =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

/** Runs the steps on a log and on the model, and expects the same of both. */
async function agree(log: Log, steps: readonly Step[]): Promise<void> {
  const model: Known[] = []
  const follows: { readonly seen: Place[]; readonly skipped: number; readonly ended: Promise<void> }[] = []
  for (const next of steps) {
    if (next.kind === 'append') {
      const outcomes = next.appends.map(({ stream, off, ids }) => {
        const expected = Math.max(-1, of(model, stream).length - 1 + off)
        const events: Proposed[] = ids.map((n) => note(n, {}, idOf(n)))
        const answer = log.append(stream, expected, events).then(
          ({ revision }) => ({ revision }),
          (error: unknown) => (error instanceof WrongRevision ? { actual: error.actual } : { error }),
        )
        return { answer, due: appendTo(model, stream, expected, ids.map(idOf)) }
      })
      expect(await Promise.all(outcomes.map(({ answer }) => answer))).toEqual(outcomes.map(({ due }) => due))
    } else if (next.kind === 'read') {
      const { kind, stream, ...options } = next
      const due = of(model, stream).filter(
        ({ revision }) =>
          options.from === undefined || (options.backwards ? revision <= options.from : revision >= options.from),
      )
      if (options.backwards) due.reverse()
      expect((await gather(log.read(stream, given(options)))).map(place)).toEqual(
        due.slice(0, options.limit).map(place),
      )
    } else if (next.kind === 'readAll') {
      const { kind, index, ...options } = next
      const from = index === undefined ? undefined : (await gather(log.readAll()))[index]?.position
      const at = from === undefined ? undefined : index
      const due = options.backwards ? model.slice(0, at).reverse() : model.slice(at)
      expect((await gather(log.readAll(given({ ...options, from })))).map(place)).toEqual(
        due.slice(0, options.limit).map(place),
      )
    } else {
      const found = typeof next.index === 'number' ? (await gather(log.readAll()))[next.index] : undefined
      const after = typeof next.index === 'string' ? next.index : (found ?? 'start')
      const skipped = after === 'start' ? 0 : after === 'end' ? model.length : (next.index as number) + 1
      const seen: Place[] = []
      const ended = Promise.withResolvers<void>()
      follows.push({ seen, skipped, ended: ended.promise })
      log.follow({
        after,
        each(batch) {
          seen.push(...batch.map(place))
          if (batch.some(({ stream }) => stream === 'end')) ended.resolve()
        },
      })
    }
  }
  // A last event that every following must reach, so that all can be compared in full.
  await log.append('end', -1, [note('end', {}, idOf(99))])
  appendTo(model, 'end', -1, [idOf(99)])
  await Promise.all(follows.map(({ ended }) => ended))
  for (const { seen, skipped } of follows) expect(seen).toEqual(model.slice(skipped).map(place))
  expect((await gather(log.readAll())).map(place)).toEqual(model.map(place))
}

describe('every log does what a simple model does', () => {
  it('memory', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const log = memoryLog({ codec: codec({}), now: () => 0 })
        await agree(log, steps)
        await log.close()
      }),
      { numRuns: 100 },
    )
  })

  it('embedded', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const path = await mkdtemp(join(tmpdir(), 'lyceum-agree-'))
        const options = { path, codec: codec({}), now: () => 0, onFatal: () => {} }
        const log = await openEmbeddedLog(options)
        try {
          await agree(log, steps)
        } finally {
          await log.close()
          await rm(path, { recursive: true })
        }
      }),
      { numRuns: 40 },
    )
  })
})
