import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about who is online. */
export const presenceRefusals = {
  'teachers-only': [403, 'only teachers and admins may see who is online'],
} as const satisfies Refusals
