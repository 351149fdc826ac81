import { z } from 'zod'
import type { Shape } from '../../delivery/contract.ts'
import { eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { PresenceWire } from './notices.ts'

/** The shape of everything that this contract pushes. */
export const presenceShapes: { readonly [Name in keyof PresenceWire]: Shape<PresenceWire[Name]> } = {
  teacher_login: z.strictObject({ ...ref, user_id: z.string(), display_name: z.string() }),
}
