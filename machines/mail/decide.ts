import { type Command, type Decision, refuse, unreachable } from '../kernel.ts'
import type { MailEvent } from './events.ts'
import type { MailState } from './machine.ts'

export type MailCommand = Command &
  (
    | { readonly type: 'QueueMail'; readonly personId: string; readonly title: string }
    | { readonly type: 'SpareMail'; readonly personId: string }
    | { readonly type: 'AttemptMail'; readonly node: string }
    | { readonly type: 'MarkMailSent' }
    | { readonly type: 'GiveMailUp'; readonly why: string }
  )

/** Longer than a mail server may take to answer: whoever began an attempt before that has died in it. */
const ATTEMPT_MS = 120_000

/**
 * Refusals: `mail-over`, for one that is sent, given up or was never queued; `mail-under-way`, by another node, with
 * `until`, when it may be tried, milliseconds since 1970.
 */
export function decide(state: MailState, command: MailCommand): Decision<MailEvent> {
  const { by, at } = command
  if (command.type === 'QueueMail') {
    const { personId, title } = command
    const isFirst = state.matches('none') || state.matches('spared')
    return isFirst ? [{ type: 'MailQueued', org: by.org, personId, title, at }] : []
  }
  if (command.type === 'SpareMail') {
    const isFirst = state.matches('none') || state.matches('spared')
    return isFirst ? [{ type: 'MailSpared', org: by.org, personId: command.personId, at }] : []
  }
  if (!state.matches('queued')) return refuse('mail-over')
  switch (command.type) {
    case 'AttemptMail': {
      const { node } = command
      const { attempt } = state.context
      if (attempt && attempt.node !== node && at - attempt.at < ATTEMPT_MS)
        return refuse('mail-under-way', { until: String(attempt.at + ATTEMPT_MS) })
      return [{ type: 'MailAttempted', node, at }]
    }
    case 'MarkMailSent':
      return [{ type: 'MailSent', at }]
    case 'GiveMailUp':
      return [{ type: 'MailGivenUp', why: command.why, at }]
    default:
      return unreachable(command)
  }
}
