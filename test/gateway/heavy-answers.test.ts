import { describe, expect, test } from 'vitest'
import { Refusal } from '../../machines/kernel.ts'
import { HEAVY, type HeavyAnswers, heavyAnswers } from '../../src/gateway/http/heavy-answers.ts'

const BOUNDS = { ...HEAVY, waiting: 6, waitingEach: 2, patienceMs: 60_000, holdMs: 60_000 }
const never = new AbortController().signal

/** Who has begun, in order, and how to end it. */
function world(answers: HeavyAnswers) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const asks: Promise<string>[] = []
  const ask = (person: string, gone = never): Promise<string> => {
    const [org = ''] = person.split('.')
    const outcome = answers.begin(org, person, gone).then((turn) => {
      if (turn instanceof Refusal) return turn.code
      begun.push(person)
      ends.set(person, turn)
      return 'begun'
    })
    asks.push(outcome)
    return outcome
  }
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const end = async (person: string): Promise<void> => {
    ends.get(person)?.()
    await settled()
  }
  return { begun, ask, end, settled }
}

describe('heavy answers', () => {
  test('[TURN-3] two at once of a node, one of a person', async () => {
    const { begun, ask, end, settled } = world(heavyAnswers(BOUNDS))
    for (const person of ['a.1', 'a.1', 'b.1', 'c.1']) void ask(person)
    await settled()
    expect(begun).toEqual(['a.1', 'b.1'])
    await end('b.1')
    expect(begun).toEqual(['a.1', 'b.1', 'c.1'])
    await end('c.1')
    expect(begun).toHaveLength(3) // there is room, and not for a second one of the same person
    await end('a.1')
    expect(begun).toEqual(['a.1', 'b.1', 'c.1', 'a.1'])
  })

  test('[TURN-3] organisations take turns', async () => {
    const { begun, ask, end, settled } = world(heavyAnswers(BOUNDS))
    for (const person of ['a.1', 'a.2', 'a.3', 'a.4', 'a.5', 'b.1']) void ask(person)
    await settled()
    for (const person of ['a.1', 'a.2']) await end(person)
    expect(begun).toEqual(['a.1', 'a.2', 'a.3', 'b.1'])
  })

  test('[TURN-3] only so many wait, of one person fewer, and the others are refused', async () => {
    const answers = heavyAnswers(BOUNDS)
    const { ask, settled } = world(answers)
    for (const person of ['a.1', 'a.2', 'a.1', 'a.1']) void ask(person)
    expect(await ask('a.1')).toBe('heavy-answers')
    for (const person of ['b.1', 'b.2', 'b.3', 'b.4']) void ask(person)
    expect(await ask('c.1')).toBe('heavy-answers')
    await settled()
    expect(answers.size()).toEqual({ running: 2, waiting: 6 })
  })

  test('[TURN-3] who has waited too long is refused, and nobody waits for them', async () => {
    const answers = heavyAnswers({ ...BOUNDS, patienceMs: 20 })
    const { ask, begun, end } = world(answers)
    void ask('a.1')
    void ask('a.2')
    expect(await ask('a.3')).toBe('heavy-answers')
    await end('a.1')
    expect(begun).toEqual(['a.1', 'a.2'])
    expect(answers.size()).toEqual({ running: 1, waiting: 0 })
  })

  test('[TURN-4] whoever is gone does not wait any more, and what ends twice ends once', async () => {
    const answers = heavyAnswers(BOUNDS)
    const { ask, end } = world(answers)
    const gone = new AbortController()
    void ask('a.1')
    void ask('a.2')
    const third = ask('a.3', gone.signal)
    gone.abort()
    expect(await third).toBe('heavy-answers')
    await end('a.1')
    await end('a.1')
    expect(answers.size()).toEqual({ running: 1, waiting: 0 })
    expect(await ask('b.1', gone.signal)).toBe('begun') // as with any turn, whoever asked ends it
  })

  test('[TURN-4] who takes an answer slowly holds up their own next one, and nobody else', async () => {
    const answers = heavyAnswers({ ...BOUNDS, holdMs: 20 })
    const { ask, begun, end } = world(answers)
    void ask('a.1')
    void ask('a.2')
    void ask('a.1')
    expect(await ask('b.1')).toBe('begun')
    expect(begun).toEqual(['a.1', 'a.2', 'b.1'])
    await end('a.1')
    expect(begun).toHaveLength(4)
  })
})
