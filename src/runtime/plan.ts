import { type Event, Refusal } from '../../machines/kernel.ts'
import type { Proposed } from '../log/log.ts'
import type { Answer } from './answer.ts'

/**
 * What is to become of one waiting command: an answer that needs no append, its events, or the answer of a twin in the
 * group.
 */
export type Plan =
  | Answer
  | { readonly kind: 'append'; readonly offset: number; readonly events: readonly Event[] }
  | { readonly kind: 'twin'; readonly of: number }

/** What a group appended: the revision of its first event, all of them, and where they stand. */
export interface GroupAppend {
  readonly first: number
  readonly proposed: readonly Proposed[]
  readonly positions: readonly bigint[]
}

/** The answers to a group's commands, in their order. */
export function answersOf(plans: readonly Plan[], { first, proposed, positions }: GroupAppend): readonly Answer[] {
  const answers: Answer[] = []
  for (const plan of plans) {
    if (plan.kind === 'append') {
      const { offset, events } = plan
      const [id, position] = [proposed[offset]?.id ?? null, positions[offset] ?? null]
      answers.push({ kind: 'done', id, seq: first + offset, position, events })
    } else if (plan.kind === 'twin') {
      const theirs = answers[plan.of] as Answer // a twin stands earlier in the group
      answers.push(theirs instanceof Refusal ? theirs : { ...theirs, events: [] })
    } else answers.push(plan)
  }
  return answers
}
