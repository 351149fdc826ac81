import { type Recorded, unreachable } from '../machines/kernel.ts'
import type { MailEvent } from '../machines/mail/events.ts'
import { projectionOf } from './projection.ts'

/** One mail. Times are milliseconds since 1970. */
export interface MailRow {
  readonly seq: number
  readonly state: 'queued' | 'sent' | 'givenUp'
  readonly queuedAt: number
}

/** The list `due/<queuedAt>/<id>` has those that are to be sent. */
export const mails = projectionOf<MailRow, 'mail'>('mail', {
  name: 'mails',
  version: 1,
  fold(row, { event, revision: seq, stream }: Recorded<MailEvent>) {
    if (event.type === 'MailQueued') return { seq, state: 'queued', queuedAt: event.at }
    if (event.type === 'MailSpared') return undefined // nothing is to be sent
    if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before MailQueued`)
    switch (event.type) {
      case 'MailAttempted':
        return { ...row, seq }
      case 'MailSent':
        return { ...row, seq, state: 'sent' }
      case 'MailGivenUp':
        return { ...row, seq, state: 'givenUp' }
      default:
        return unreachable(event)
    }
  },
  index: (id, { state, queuedAt }) => (state === 'queued' ? [`due/${String(queuedAt).padStart(14, '0')}/${id}`] : []),
})
