import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import type { Guesses } from '../../gateway/auth/guesses.ts'
import type { Call } from '../../runtime/answer.ts'
import { accepts } from './check-in-codes.ts'
import type { Named } from './facts.ts'
import { type MarkingParts, markAfter } from './marking.ts'

export interface CheckInParts extends MarkingParts {
  readonly guesses: Guesses
}

/** A student checks in. A number = milliseconds after which another code is heard. */
export async function checkIn(parts: CheckInParts, named: Named, by: Party, code: string, address: string, call: Call) {
  const { admission, access, sessions, guesses, now } = parts
  const facts = await sessions.session(named, by)
  if (facts instanceof Refusal) return facts
  if (by.role !== 'student') return refuse('students-only')
  const course = await access.course(facts.courseId, by)
  if (course instanceof Refusal) return course
  const repeated = call.repeated === true // it was right then, whatever has become of the student and of the code
  if (!repeated && !course.students.includes(by.id)) return refuse('not-in-course')
  const from = { person: personName(by), address }
  return guesses.inTurn(from, async () => {
    const blockedMs = repeated ? 0 : await guesses.blockedMs(from)
    if (blockedMs > 0) return blockedMs
    const at = now()
    const command = { type: 'CheckIn', enrolled: true, codeOk: accepts(facts.secret, code, at), by, at } as const
    const answer = await admission.ask('attendance', named.id, command, { ...call, payload: { code } })
    if (answer instanceof Refusal && answer.code === 'wrong-check-in-code') await guesses.wrong(from)
    return markAfter(parts, named.id, facts, by.id, answer)
  })
}
