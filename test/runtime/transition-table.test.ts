import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type AnyMachineSnapshot, type AnyStateMachine, assign, createActor, createMachine } from 'xstate'
import { catalogue, eventSchemas } from '../../machines/catalogue.ts'
import type { Event } from '../../machines/kernel.ts'
import { codec } from '../../src/log/codec.ts'
import { transitionTable } from '../../src/runtime/transition-table.ts'

const kinds = Object.keys(catalogue) as (keyof typeof catalogue)[]
const machineOf = (kind: keyof typeof catalogue): AnyStateMachine => catalogue[kind].machine as AnyStateMachine

/** Everything that was ever recorded of a kind, by type. */
function recordedOf(kind: string): readonly Event[] {
  const text = readFileSync(join(import.meta.dirname, '..', 'histories', `${kind}.json`), 'utf8')
  const histories = JSON.parse(text) as { events: { type: string; data: unknown; meta: unknown }[] }[]
  const { decode } = codec(eventSchemas)
  return histories.flatMap(({ events }) => events.map(({ type, data, meta }) => decode(type, data, meta).event))
}

/** What anybody may see of a state. */
const seen = (machine: AnyStateMachine, state: AnyMachineSnapshot, names: readonly string[]) => ({
  persisted: machine.getPersistedSnapshot(state),
  value: state.value,
  context: state.context,
  status: state.status,
  matches: names.filter((name) => state.matches(name)),
  tags: [...state.tags],
})

describe.each(kinds)('%s', (kind) => {
  test('its table moves it where XState moves it, by whatever comes in whatever order', () => {
    const machine = machineOf(kind)
    const step = transitionTable(machine)
    if (!step) throw new Error(`${kind} has no table`)
    const names = Object.keys(machine.config.states ?? {})
    const events = [...recordedOf(kind), { type: 'Unheard' }]
    const actor = createActor(machine)
    const { id, sessionId, system } = actor
    const nothing = (): void => {}
    const scope = {
      ...{ self: actor, id, sessionId, system, logger: nothing, defer: nothing, emit: nothing },
      ...{ stopChild: nothing, actionExecutor: nothing },
    }
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { minLength: 1, maxLength: 40 }), (history) => {
        let [ours, theirs] = [actor.getSnapshot(), actor.getSnapshot()]
        for (const event of history) {
          const [before, now] = [ours, theirs]
          ours = step(ours, event)
          theirs = machine.transition(theirs, event, scope)
          expect(ours === before).toBe(theirs === now)
          expect(seen(machine, ours, names)).toEqual(seen(machine, theirs, names))
        }
      }),
      { numRuns: 60 },
    )
  })
})

const flat = { id: 'flat', initial: 'a' as const }
test.each([
  ['a guard', createMachine({ ...flat, states: { a: { on: { X: { target: 'b', guard: () => true } } }, b: {} } })],
  ['an entry', createMachine({ ...flat, states: { a: { on: { X: 'b' } }, b: { entry: assign({}) } } })],
  ['states within states', createMachine({ ...flat, states: { a: { initial: 'c', states: { c: {} } } } })],
  ['a final state', createMachine({ ...flat, states: { a: { on: { X: 'b' } }, b: { type: 'final' } } })],
  ['transitions of all states', createMachine({ ...flat, on: { X: '.a' }, states: { a: {} } })],
  ['a wildcard', createMachine({ ...flat, states: { a: { on: { '*': 'b' } }, b: {} } })],
  ['an action without a name', createMachine({ ...flat, states: { a: { on: { X: { actions: assign({}) } } } } })],
  ['several transitions', createMachine({ ...flat, states: { a: { on: { X: [{ target: 'b' }] } }, b: {} } })],
  ['a target elsewhere', createMachine({ ...flat, states: { a: { on: { X: '#flat.b' } }, b: {} } })],
])('a machine with %s is left to XState', (_, machine) => {
  expect(transitionTable(machine)).toBeUndefined()
})
