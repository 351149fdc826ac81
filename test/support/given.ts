import { expect } from 'vitest'
import { type AnyMachineSnapshot, type AnyStateMachine, createActor, type EventFrom, type SnapshotFrom } from 'xstate'
import { type Decision, type Event, Refusal } from '../../machines/kernel.ts'

/**
 * A machine's whole contract in one line: `given(...history).when(command).yields(...events)`, `.refuses(code,
 * details)` or `.leads()` to the state that the machine reaches by what was decided.
 */
export function scenario<M extends AnyStateMachine, C, E extends Event & EventFrom<M>>(
  machine: M,
  decide: (state: SnapshotFrom<M>, command: C) => Decision<E>,
) {
  return (...history: readonly E[]) => ({
    when(command: C) {
      const decision = decide(replay(machine, history), command)
      return {
        yields: (...events: readonly E[]) => expect(decision).toEqual(events),
        refuses: (code: string, details: Readonly<Record<string, string>> = {}) =>
          expect(decision).toEqual(new Refusal(code, details)),
        leads: (): SnapshotFrom<M> =>
          replay(machine, decision instanceof Refusal ? history : [...history, ...decision]),
      }
    },
  })
}

/**
 * The state after a history. Fails the test at an event that the machine cannot take in its place (XState would ignore
 * it silently).
 */
export function replay<M extends AnyStateMachine>(machine: M, history: readonly EventFrom<M>[]): SnapshotFrom<M> {
  const actor = createActor(machine).start()
  for (const event of history) {
    const state = actor.getSnapshot() as AnyMachineSnapshot // of the very machine that it was made from
    expect(state.can(event), `${JSON.stringify(event)} is impossible in ${JSON.stringify(state.value)}`).toBe(true)
    actor.send(event)
  }
  return actor.getSnapshot() as SnapshotFrom<M>
}
