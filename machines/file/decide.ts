import type { Command, Decision } from '../kernel.ts'
import type { FileEvent } from './events.ts'
import type { FileState } from './machine.ts'

export type FileCommand = Command & { readonly type: 'KeepFile'; readonly stream: string }

/** Never refused. */
export const decide = (state: FileState, { stream }: FileCommand): Decision<FileEvent> =>
  state.matches('loose') ? [{ type: 'FileReferredTo', by: stream }] : []
