import { expect, test } from 'vitest'
import { visitorTurns } from '../../src/contracts/support-chat/visitor-turns.ts'

/** Whether it has resolved by the time that everything has happened that could. */
async function isOver(work: Promise<void>): Promise<boolean> {
  let over = false
  void work.then(() => (over = true))
  await new Promise((soon) => setImmediate(soon))
  return over
}

test(
  '[ORDER-1] a call that stands aside waits until all before it are answered, and what begins ' +
    'meanwhile comes after it',
  async () => {
    const turns = visitorTurns()
    const first = turns.begin('acme.vera')
    const opening = turns.begin('acme.vera')
    const waiting = opening.standAside()
    const last = turns.begin('acme.vera')
    expect([first, opening, last].map(({ mustStandAside }) => mustStandAside)).toEqual([false, false, true])
    const behind = last.standAside()
    expect(await isOver(waiting)).toBe(false)
    first.end()
    expect(await isOver(waiting)).toBe(true)
    expect(await isOver(behind), 'not before the opening is answered').toBe(false)
    opening.end()
    expect(await isOver(behind)).toBe(true)
    last.goOn()
    expect(turns.begin('acme.vera').mustStandAside, 'it stands where it belongs').toBe(false)
  },
)

test(
  '[ORDER-1] while a chat that has ended still has calls to send on, nothing that begins goes ' + 'straight',
  async () => {
    const turns = visitorTurns()
    const [one, two] = [turns.begin('acme.vera'), turns.begin('acme.vera')]
    await one.standAside() // its chat has sent it on; the other waits for the same answer
    one.goOn()
    const later = turns.begin('acme.vera')
    expect(later.mustStandAside).toBe(true)
    const behind = later.standAside()
    one.end()
    expect(await isOver(behind)).toBe(false)
    await two.standAside()
    two.goOn()
    two.end()
    expect(await isOver(behind)).toBe(true)
    later.end()
    expect(turns.begin('acme.vera').mustStandAside).toBe(false)
  },
)

test('[ORDER-1] visitors do not wait for each other', async () => {
  const turns = visitorTurns()
  turns.begin('acme.vera')
  void turns.begin('acme.vera').standAside()
  expect(turns.begin('acme.otto').mustStandAside).toBe(false)
})
