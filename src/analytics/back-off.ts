import type { BackOff } from '../back-off.ts'

/** Between attempts to reach Mixpanel. */
export const MIXPANEL_BACK_OFF: BackOff = { firstMs: 1_000, longestMs: 60_000 }
