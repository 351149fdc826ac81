import { hash } from 'node:crypto'
import { type AnyStateMachine, createActor } from 'xstate'
import type { Event } from '../../machines/kernel.ts'

/** A live XState actor that is moved by recorded events. Together with the machine.ts files the only place that knows XState. */
export interface Mover<S> {
  state(): S
  /** Throws on an event that the machine cannot take in its state: XState would ignore it silently. */
  move(event: Event): void
  /** What `wake` takes to make the same actor again: plain JSON. */
  persist(): unknown
  stop(): void
}

/** Starts a machine's actor, fresh or from what `persist` gave. */
export function wake<S>(machine: unknown, persisted?: unknown): Mover<S> {
  const definition = machine as AnyStateMachine // the catalogue's `machine` is opaque to everybody but this file
  const actor = createActor(definition, persisted === undefined ? {} : { snapshot: persisted as never })
  actor.start()
  return {
    state: () => actor.getSnapshot() as S,
    move(event) {
      const before = actor.getSnapshot()
      actor.send(event)
      if (actor.getSnapshot() !== before) return // XState hands back the very same snapshot when no transition took the event
      throw new Error(`machine ${definition.id} cannot take the recorded event ${event.type} in ${JSON.stringify(before.value)}`)
    },
    persist: () => actor.getPersistedSnapshot(),
    stop: () => void actor.stop(),
  }
}

/** Changes whenever the machine's states, transitions or actions change: a snapshot of another definition is worthless. */
export function definitionHash(machine: unknown): string {
  const { config, implementations } = machine as AnyStateMachine
  const text = JSON.stringify([config, implementations.actions], (_, value: unknown) =>
    typeof value === 'function' ? [`${value}`, { ...value }] : value,
  )
  return hash('sha1', text)
}
