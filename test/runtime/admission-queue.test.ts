import { expect, test } from 'vitest'
import { refuse } from '../../machines/kernel.ts'
import { admissionQueue } from '../../src/runtime/admission-queue.ts'
import type { Answer } from '../../src/runtime/answer.ts'

const done: Answer = { kind: 'done', id: null, seq: 0, position: null, events: [] }
const ask = { type: 'ReserveJoinCode', lessonId: 'l', by: { id: 'a', org: 'o', role: 'teacher' }, at: 0 } as const

/** A room whose answers are given by hand. */
function doorway() {
  const asked: { readonly id: string; readonly answer: PromiseWithResolvers<Answer> }[] = []
  return {
    asked,
    rooms: {
      ask(_: string, id: string) {
        const answer = Promise.withResolvers<Answer>()
        asked.push({ id, answer })
        return answer.promise
      },
    },
  }
}
const settled = () => new Promise((soon) => setImmediate(soon))

test(
  '[ROOM-12] whoever finds the room full is let in in the order of their coming; a line that is too ' + 'long refuses',
  async () => {
    const { asked, rooms } = doorway()
    const admission = admissionQueue(rooms, { inside: 2, waiting: 3 })
    const order: number[] = []
    const answers = Array.from({ length: 6 }, async (_, n) => {
      const answer = await admission.ask('joincode', 'r', ask)
      order.push(n)
      return answer
    })
    await settled()
    expect(asked).toHaveLength(2)
    expect(await answers[5]).toEqual(refuse('overloaded'))
    for (let n = 0; n < 5; n++) {
      if (n === 1) asked[n]?.answer.reject(new Error('a bug'))
      else asked[n]?.answer.resolve(done)
      await answers[n]?.catch(() => undefined)
      await settled()
    }
    await expect(answers[1]).rejects.toThrow('a bug') // and those behind were let in all the same
    expect(order).toEqual([5, 0, 2, 3, 4])
  },
)

test('[ROOM-12] each room has its own line', async () => {
  const { asked, rooms } = doorway()
  const admission = admissionQueue(rooms, { inside: 1 })
  const first = admission.ask('joincode', 'a', ask)
  const second = admission.ask('joincode', 'b', ask)
  await settled()
  expect(asked.map(({ id }) => id)).toEqual(['a', 'b'])
  for (const { answer } of asked) answer.resolve(done)
  await Promise.all([first, second])
})

test('[ROOM-12] whoever has waited too long is refused when their turn comes, and those behind at once', async () => {
  const { asked, rooms } = doorway()
  const admission = admissionQueue(rooms, { inside: 1, patienceMs: 20 })
  const [first, ...others] = Array.from({ length: 4 }, () => admission.ask('joincode', 'r', ask))
  const came = performance.now()
  while (performance.now() - came <= 20) await settled()
  asked[0]?.answer.resolve(done)
  expect(await first).toEqual(done)
  expect(await Promise.all(others)).toEqual(others.map(() => refuse('overloaded')))
  expect(asked).toHaveLength(1)
})
