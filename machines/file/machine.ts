import { type SnapshotFrom, setup } from 'xstate'
import type { FileEvent } from './events.ts'

/** loose -> kept. */
export const fileMachine = setup({ types: { events: {} as FileEvent } }).createMachine({
  id: 'file',
  initial: 'loose',
  states: { loose: { on: { FileReferredTo: 'kept' } }, kept: {} },
})

export type FileState = SnapshotFrom<typeof fileMachine>
