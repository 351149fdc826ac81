import type { EventSchema } from '../kernel.ts'

/**
 * A mail to one person about one project, in the stream `mail-<project>.<org>.<person>`: there is one, however often
 * they are added. Neither addresses nor texts are recorded. Times in milliseconds since 1970.
 */
export type MailEvent =
  | {
      readonly type: 'MailQueued'
      readonly org: string
      readonly personId: string
      /** What the project was called when they were added. */
      readonly title: string
      readonly at: number
    }
  /** They were told of this addition by an open page: no mail because of it. */
  | { readonly type: 'MailSpared'; readonly org: string; readonly personId: string; readonly at: number }
  /** By this node: another one leaves it alone for a while. */
  | { readonly type: 'MailAttempted'; readonly node: string; readonly at: number }
  | { readonly type: 'MailSent'; readonly at: number }
  | { readonly type: 'MailGivenUp'; readonly why: string; readonly at: number }

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const mailEvents: Readonly<Record<MailEvent['type'], EventSchema>> = {
  MailQueued: plain,
  MailSpared: plain,
  MailAttempted: plain,
  MailSent: plain,
  MailGivenUp: plain,
}
