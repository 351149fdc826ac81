import { z } from 'zod'
import type { Shape } from '../../delivery/shape.ts'
import { eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { PresenceWire } from './notices.ts'

/** The shape of everything that this contract pushes. */
export const presenceShapes: { readonly [Name in keyof PresenceWire]: Shape<PresenceWire[Name]> } = {
  teacher_login: z
    .strictObject({ ...ref, user_id: z.string(), display_name: z.string() })
    .describe('To the hubs of an organisation: a teacher has come.'),
}

/** Who an anonymous participant is. */
export const participantShape = z
  .strictObject({ participant_id: z.string(), token: z.string() })
  .describe('To a connection without a token, on connecting: who it is, and the `auth.token` to be the same again.')
