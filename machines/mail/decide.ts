import { type Command, type Decision, refuse, unreachable } from '../kernel.ts'
import type { MailEvent } from './events.ts'
import type { MailState } from './machine.ts'

export type MailCommand = Command &
  (
    | { readonly type: 'QueueMail'; readonly personId: string; readonly title: string }
    | { readonly type: 'SpareMail'; readonly personId: string }
    /** `dead`: another node's attempt that has gone on for longer than one may, as has elapsed for whoever asks. */
    | { readonly type: 'AttemptMail'; readonly node: string; readonly dead?: number }
    | { readonly type: 'MarkMailSent' }
    | { readonly type: 'GiveMailUp'; readonly why: string }
  )

/**
 * Refusals: `mail-over`, for one that is sent, given up or was never queued; `mail-under-way`, by another node, with
 * `attempt`, which tells its attempt from others.
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
      const { node, dead } = command
      const { attempt } = state.context
      if (attempt && attempt.node !== node && attempt.at !== dead)
        return refuse('mail-under-way', { attempt: String(attempt.at) })
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
