import type { EventSchema } from '../kernel.ts'

/** Of an organisation, in the stream `organisation-<org>`: that it is one, which everything else about it rests on. */
export type OrganisationEvent =
  | {
      readonly type: 'OrganisationOpened'
      readonly how: HowOpened
      readonly title: string | null
      readonly at: number
    }
  | { readonly type: 'OrganisationRenamed'; readonly title: string; readonly at: number }

/**
 * `command`: an operator did; `token`: the first one that was good, of somebody who is no visitor; `demo`: the very
 * first start; `known`: the log held people, courses, lessons or projects of it from before there were such events.
 */
export type HowOpened = 'command' | 'token' | 'demo' | 'known'

const plain: EventSchema = { version: 1, personal: [], upcasts: {} }

export const organisationEvents: Readonly<Record<OrganisationEvent['type'], EventSchema>> = {
  OrganisationOpened: plain,
  OrganisationRenamed: plain,
}
