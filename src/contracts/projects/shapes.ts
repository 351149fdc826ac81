import { z } from 'zod'
import type { Shape } from '../../delivery/shape.ts'
import { eventRefShape as ref } from '../shared/wire-shapes.ts'
import type { ProjectAnswers, ProjectWire } from './wire.ts'

const number = z
  .int()
  .min(1)
  .meta({ examples: [7] })
const userShape = z
  .strictObject({
    id: number,
    email: z.string().meta({ examples: ['ada@example.org'] }),
    first_name: z.string(),
    last_name: z.string(),
    username: z.string().meta({ examples: ['ada'] }),
  })
  .describe('A user. `id` is their number.')
const messageFields = {
  id: number,
  project_id: number,
  content: z.string().nullable(),
  file_name: z.string().nullable(),
  created_at: z.string().meta({ examples: ['08/06/2021, 22:58'] }),
  sender: userShape,
  receiver: userShape.nullable(),
}

/** The shape of everything that this contract pushes. */
export const projectShapes: { readonly [Name in keyof ProjectWire]: Shape<ProjectWire[Name]> } = {
  receive_message: z
    .strictObject({ ...messageFields, file_base64: z.string().nullable(), seq: ref.seq, pos: ref.pos })
    .describe('To the sockets that have joined a project: somebody said something, to all or to one. `id` counts.'),
  action_project: z
    .strictObject({
      type: z.enum(['add_into_project', 'delete_project', 'edit_project']),
      message: z.string(),
      data: z.object({}).loose().exactOptional(),
    })
    .describe('To the streams of participants: something happened to a project, or to them in it.'),
}

/** What one socket is told besides. */
export const projectAnswers: { readonly [Name in keyof ProjectAnswers]: Shape<ProjectAnswers[Name]> } = {
  joined_project: z
    .strictObject({ ...ref, project_id: number })
    .describe('To the socket that asked: it hears of the project now.'),
  error: z
    .strictObject({ message: z.string(), code: z.string(), event: z.string() })
    .describe('Why something was refused, besides the ack; or why there will be no more pushes.'),
}
