import { type Command, type Decision, refuse } from '../kernel.ts'
import type { JoincodeEvent } from './events.ts'
import type { JoincodeState } from './machine.ts'

export type JoincodeCommand = Command & { readonly type: 'ReserveJoinCode'; readonly lessonId: string }

/** Refuses with `code-taken` when the code leads to another lesson. */
export function decide({ context }: JoincodeState, { lessonId }: JoincodeCommand): Decision<JoincodeEvent> {
  if (context.lessonId === null) return [{ type: 'JoinCodeReserved', lessonId }]
  return context.lessonId === lessonId ? [] : refuse('code-taken')
}
