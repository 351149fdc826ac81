import { Refusal } from '../../../machines/kernel.ts'
import type { Connection } from '../../delivery/connection.ts'
import { posOf } from '../../delivery/cursor.ts'
import type { Answer } from '../../runtime/answer.ts'

/** What Socket.IO hands over where a client wants to know. */
export type Ack = (result: boolean, error: string | null, where?: object) => void

/** What came of a call, as its ack tells it. */
export interface Acknowledged {
  readonly answer: Answer
  /** The id of what the call was about, and how the contract calls it: `room`, `lesson_id`, … */
  readonly about: string | number | null
  readonly aboutKey: string
  /** A refusal in words; null = done. */
  readonly error: string | null
}

/** Two values; with protocol 2 a third, which says where it stands. */
export function acknowledge(ack: Ack, { protocol }: Connection, came: Acknowledged): void {
  const { error } = came
  if (protocol === 2) ack(error === null, error, whereOf(came))
  else ack(error === null, error)
}

function whereOf({ answer, about, aboutKey }: Acknowledged): object {
  if (answer instanceof Refusal) return { [aboutKey]: about, code: answer.code }
  const { id, seq, position } = answer
  const pos = id === null || position === null ? null : posOf({ id, position })
  return { [aboutKey]: about, id, seq: seq < 0 ? null : seq, pos }
}
