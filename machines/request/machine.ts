import { type SnapshotFrom, setup } from 'xstate'
import type { RequestEvent } from './events.ts'

/** unnamed -> named. Nothing else ever happens to the name of a request. */
export const requestMachine = setup({ types: { events: {} as RequestEvent } }).createMachine({
  id: 'request',
  initial: 'unnamed',
  states: { unnamed: { on: { RequestNamed: 'named' } }, named: {} },
})

export type RequestState = SnapshotFrom<typeof requestMachine>
