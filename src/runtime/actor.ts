import { hash } from 'node:crypto'
import { type AnyActorScope, type AnyMachineSnapshot, type AnyStateMachine, createActor } from 'xstate'
import type { Event } from '../../machines/kernel.ts'
import { type Step, transitionTable } from './transition-table.ts'

/**
 * One entity's place in its machine, moved by recorded events. Together with the machine.ts files the only place that
 * knows XState.
 */
export interface Actor<S> {
  state(): S
  /** Throws on an event that the machine cannot take in its state: XState would ignore it silently. */
  onEvent(event: Event): void
  /** Where it is now; `rewind` brings it back there. */
  mark(): Mark
  rewind(mark: Mark): void
  /** What `wake` takes to make the same again: plain JSON. */
  persist(): unknown
}

/** A place of one actor in its machine. */
export interface Mark {
  readonly state: unknown
}

/** Starts a machine, afresh or from what `persist` gave. */
export function startActor<S>(machine: unknown, persisted?: unknown): Actor<S> {
  const definition = machine as AnyStateMachine // the catalogue's `machine` is opaque to everybody but this file
  const { scope, initial, step } = sharedBy(definition)
  let state = persisted === undefined ? initial : definition.restoreSnapshot(persisted as never, scope)
  return {
    state: () => state as S,
    onEvent(event) {
      const after = step(state, event)
      // XState hands back the very same snapshot when no transition took the event.
      if (after === state) {
        throw new Error(
          `machine ${definition.id} cannot take the recorded event ${event.type} in ${JSON.stringify(state.value)}`,
        )
      }
      state = after
    },
    mark: () => ({ state }),
    rewind(mark) {
      state = mark.state as typeof state // of this very actor
    },
    persist: () => definition.getPersistedSnapshot(state),
  }
}

/**
 * Changes whenever the machine's states, transitions or actions change: a snapshot of another definition is worthless.
 */
export function definitionHash(machine: unknown): string {
  const { config, implementations } = machine as AnyStateMachine
  const text = JSON.stringify([config, implementations.actions], (_, value: unknown) =>
    typeof value === 'function' ? [`${value}`, { ...value }] : value,
  )
  return hash('sha1', text)
}

/** What all entities of one machine share: see docs/decisions/0020. */
interface Shared {
  readonly scope: AnyActorScope
  readonly initial: AnyMachineSnapshot
  readonly step: Step<AnyMachineSnapshot>
}

const shared = new WeakMap<AnyStateMachine, Shared>()

function sharedBy(machine: AnyStateMachine): Shared {
  const known = shared.get(machine)
  if (known) return known
  const self = createActor(machine)
  const { id, sessionId, system } = self
  // Reached only by what our machines have not: actions other than `assign`, and children.
  const never = (): never => {
    throw new Error(`machine ${machine.id} may only assign: it is moved by what is recorded, and replayed`)
  }
  const scope: AnyActorScope = {
    self,
    id,
    sessionId,
    system,
    logger: never,
    defer: never,
    emit: never,
    stopChild: never,
    actionExecutor: never,
  }
  const parts = {
    scope,
    initial: machine.getInitialSnapshot(scope, undefined),
    step: transitionTable(machine) ?? ((state, event) => machine.transition(state, event, scope)),
  }
  shared.set(machine, parts)
  return parts
}
