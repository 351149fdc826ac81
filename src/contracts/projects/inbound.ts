import { z } from 'zod'
import type { Calls, Connection, Inbound, InboundRow, Outcome } from '../../delivery/connection.ts'
import { badRequest } from '../shared/bad-request.ts'
import { clientIdText } from '../shared/ids.ts'
import type { ProjectAnswers } from './wire.ts'

/** `send_message`, decoded. */
export interface MessageAsked {
  readonly project: number
  readonly senderNumber: number | null
  readonly receiverNumber: number | null
  readonly content: string | null
  /** The bytes as base64, bare or as a data URL: not looked at yet. */
  readonly file: { readonly name: string; readonly base64: string } | null
  readonly clientId: string | undefined
}

/** What clients may ask about projects over sockets. */
export interface ProjectAsks {
  join(project: number, from: Connection): Promise<Outcome>
  leave(project: number, from: Connection): Promise<Outcome>
  /** `entered`: later calls of the connection may overtake it. */
  send(message: MessageAsked, from: Connection, entered: () => void): Promise<Outcome>
}

const MOST = Number.MAX_SAFE_INTEGER
const missing = (name: string) => (issue: { readonly input?: unknown }) =>
  issue.input === undefined || issue.input === null ? `${name} is missing` : undefined
const whole = (name: string) =>
  z
    .int({ error: (issue) => missing(name)(issue) ?? 'must be a whole number' })
    .min(1, 'must be 1 or more')
    .max(MOST)

const project = z.object(
  { project_id: whole('project_id'), client_id: clientIdText('must be a text of 1 to 128 characters') },
  { error: 'project_id is missing: send an object like {project_id}' },
)

/** Clients in some languages send every field that they know: empty ones are none. */
const orEmpty = <S extends z.ZodType>(schema: S) =>
  z.preprocess((sent) => (sent === '' ? null : sent), schema.nullish())

const message = project
  .extend({
    sender_id: orEmpty(whole('sender_id')),
    receiver_id: orEmpty(whole('receiver_id')),
    content: z.string('must be text').max(16_384, 'must have at most 16384 characters').nullish(),
    file_name: z.string('must be text').max(1_000, 'must have at most 1000 characters').nullish(),
    file_base64: z.string('must be text: base64, bare or as a data URL').nullish(),
  })
  .refine(({ content, file_name, file_base64 }) => content || (file_name && file_base64), {
    error: 'content is missing: send content, or file_name and file_base64, or both',
  })
  .refine(({ file_name, file_base64 }) => !file_name === !file_base64, {
    error: 'file_name and file_base64 go together: one of them is missing',
  })

/** What clients may emit about projects. */
export const projectAsked = {
  about: 'project_id',
  data: {
    join_project: project.describe('Hear what is said in a project, on this connection.'),
    leave_project: project.describe('Hear it no more, on this connection.'),
    send_message: message.describe('Say something in a project, to all or to one: `content`, or a file, or both.'),
  },
} as const satisfies Calls

/** One row per name that a client may emit about projects. */
export function projectInbound(asks: ProjectAsks): Inbound {
  const row =
    <S extends z.ZodType>(
      schema: S,
      ask: (data: z.output<S>, from: Connection, entered: () => void) => Promise<Outcome>,
    ): InboundRow =>
    ([sent], from) => {
      const read = schema.safeParse(sent)
      return read.success ? (entered) => ask(read.data, from, entered) : badRequest(read.error)
    }
  const rows = {
    join_project: row(project, ({ project_id }, from) => asks.join(project_id, from)),
    leave_project: row(project, ({ project_id }, from) => asks.leave(project_id, from)),
    send_message: row(message, (sent, from, entered) => {
      const { file_name: name, file_base64: base64, content, client_id } = sent
      const asked: MessageAsked = {
        ...{ project: sent.project_id, senderNumber: sent.sender_id ?? null, receiverNumber: sent.receiver_id ?? null },
        ...{ content: content || null, file: name && base64 ? { name, base64 } : null },
        clientId: client_id ?? undefined,
      }
      return asks.send(asked, from, entered)
    }),
  } satisfies Record<keyof typeof projectAsked.data, InboundRow>
  return {
    rows,
    afterAnswers: ['leave_project'],
    about: projectAsked.about,
    aboutIn: ([sent]) => {
      const { project_id: id } = (sent ?? {}) as { readonly project_id?: unknown }
      return typeof id === 'number' ? String(id) : null
    },
    isAboutNumber: true,
    onRefused(from, { message, code, event }) {
      from.emit('error', { message, code, event } satisfies ProjectAnswers['error'])
    },
  }
}
