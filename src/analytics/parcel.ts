import type { MixpanelEvent } from './events.ts'

/** An event on its way to Mixpanel, and where it came from. */
export interface Parcel {
  readonly event: MixpanelEvent
  readonly stream: string
  readonly position: bigint
  /** The log's time of the event, milliseconds since 1970. */
  readonly at: number
}
