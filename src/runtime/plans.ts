import type { Event } from '../../machines/kernel.ts'
import { Refusal } from '../../machines/kernel.ts'
import type { Proposed } from '../log/log.ts'
import type { Answer } from './answer.ts'

/**
 * What is to become of one command of a group: an answer that needs no append, its events (the first of them is number
 * `offset` of the group's), or the answer of a twin that stands earlier in the group.
 */
export type Plan =
  | Answer
  | { readonly kind: 'append'; readonly offset: number; readonly events: readonly Event[] }
  | { readonly kind: 'twin'; readonly of: number }

/**
 * The events of a group as they stand in the log: from the revision `first` on, the last of them at `position` (null
 * where there are none).
 */
export interface AppendedGroup {
  readonly first: number
  readonly proposed: readonly Proposed[]
  readonly position: bigint | null
}

/** One answer for each plan, in their order. */
export function answersTo(plans: readonly Plan[], { first, proposed, position }: AppendedGroup): readonly Answer[] {
  const answers: Answer[] = []
  for (const plan of plans) {
    if (plan.kind === 'append') {
      const { offset, events } = plan
      answers.push({ kind: 'done', id: proposed[offset]?.id ?? null, seq: first + offset, position, events })
    } else if (plan.kind === 'twin') {
      const theirs = answers[plan.of] as Answer // a twin stands earlier in the group
      answers.push(theirs instanceof Refusal ? theirs : { ...theirs, events: [] })
    } else answers.push(plan)
  }
  return answers
}

/** What was decided because of what is recorded, and makes no event that would show whether it is all. */
export const mayBeOverturned = (plan: Plan): boolean =>
  plan instanceof Refusal || (plan.kind === 'done' && plan.id === null)
