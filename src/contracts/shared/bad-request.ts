import type { z } from 'zod'
import { type Refusal, refuse } from '../../../machines/kernel.ts'
import { flawsIn } from '../../gateway/flaws.ts'

/** Refuses what a client emitted, with everything that is wrong about it. `where` is the place of the checked value. */
export const badRequest = (error: z.ZodError, where = ''): Refusal =>
  refuse('bad-request', { why: flawsIn(error, { where, whole: 'data' }) })
