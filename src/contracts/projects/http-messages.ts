import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { FileRef } from '../../../machines/project/events.ts'
import { isOf, streamName } from '../../../machines/stream.ts'
import { type FileStore, FilesUnavailable, NoSuchFile } from '../../files/file-store.ts'
import { contentTypeOf } from '../../files/kinds.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { resources } from '../../gateway/http/resource.ts'
import { limit, wholeNumber } from '../../gateway/http/schemas.ts'
import type { Log } from '../../log/log.ts'
import type { Numbers } from '../../runtime/numbers.ts'
import type { ProjectAccess } from './access.ts'
import { disposition } from './disposition.ts'
import { PROJECTS, projectId } from './http.ts'
import { type DateOf, type MessageSent, messageItem } from './items.ts'
import { projectRefusals } from './refusals.ts'
import { MessageResource } from './resources.ts'
import type { UsersNow } from './users-now.ts'

export interface MessageRoutesParts {
  readonly log: Pick<Log, 'read'>
  readonly access: ProjectAccess
  readonly numbers: Numbers
  readonly users: UsersNow
  readonly files: Pick<FileStore, 'read' | 'size'>
  readonly dateOf: DateOf
}

/** A page may be short where most of what was said is not for the asker. */
const MAX_SCANNED = 5_000

/** What was said in a project, and the files that were sent. */
export function messageRoutes(app: OpenAPIHono<HttpEnv>, parts: MessageRoutesParts): void {
  const { log, access, numbers, users, files, dateOf } = parts
  const { list, raw } = resources(app, projectRefusals)

  /** From the message after `after` on. Before it there are at least as many events as it counts. */
  async function* messages(project: number, after: number): AsyncGenerator<MessageSent> {
    for await (const batch of log.read(streamName('project', String(project)), { from: after + 1 }))
      for (const recorded of batch)
        if (isOf('project', recorded) && recorded.event.type === 'MessageSent' && recorded.event.number > after)
          yield recorded.event
  }

  const isFor = ({ senderId, receiverId }: MessageSent, id: string): boolean =>
    receiverId === null || receiverId === id || senderId === id

  list(
    {
      method: 'get',
      path: `${PROJECTS}/{id}/messages`,
      summary: 'What was said in a project, newest last (its participants; what was said to one: those two)',
      description: 'Messages',
      params: projectId,
      query: { limit: limit(200, 50), after: wholeNumber.optional() },
      items: MessageResource,
      besides: { next: z.int().optional() },
    },
    async ({ by, params: { id }, query: { limit: most, after = 0 } }) => {
      const project = await access.ofParticipant(id, by)
      if (project instanceof Refusal) return project
      const page: MessageSent[] = []
      let scanned = 0
      let next: number | undefined
      for await (const message of messages(id, after)) {
        if (page.length === most || scanned === MAX_SCANNED) {
          next = message.number - 1
          break
        }
        scanned++
        if (isFor(message, by.id)) page.push(message)
      }
      const ids = [...new Set(page.flatMap(({ senderId, receiverId }) => [senderId, receiverId ?? senderId]))]
      const members = new Map(
        await Promise.all(
          ids.map(async (one) => [one, { id: one, number: await numbers.of({ org: by.org, id: one }) }] as const),
        ),
      )
      const userOf = await users.of(by.org, [...members.values()])
      const memberOf = (one: string) => members.get(one) ?? { id: one, number: 0 }
      const data = page.map((message) => {
        const { file: _, ...item } = messageItem(id, message, { memberOf, userOf, dateOf })
        return item
      })
      return next === undefined ? { data } : { data, next }
    },
  )

  const fileOf = async (project: number, message: number, id: string): Promise<FileRef | Refusal> => {
    for await (const found of messages(project, message - 1)) {
      if (found.number !== message || !isFor(found, id)) break
      return found.file ?? refuse('no-such-file')
    }
    return refuse('no-such-message')
  }

  raw(
    {
      method: 'get',
      path: `${PROJECTS}/{id}/files/{message_id}`,
      summary: 'The file that was sent with a message',
      description: 'Its bytes',
      params: { ...projectId, message_id: wholeNumber },
      content: { 'application/octet-stream': { schema: z.string() } },
    },
    async ({ by, params: { id, message_id } }) => {
      const project = await access.ofParticipant(id, by)
      if (project instanceof Refusal) return project
      const file = message_id < 1 ? refuse('no-such-message') : await fileOf(id, message_id, by.id)
      if (file instanceof Refusal) return file
      try {
        const size = await files.size(file.hash)
        if (size === undefined) return refuse('files-unavailable')
        return {
          body: streamOf(files.read(file.hash)),
          headers: {
            'Content-Type': contentTypeOf(file.name),
            'Content-Length': String(size),
            'Content-Disposition': disposition(file.name),
            'X-Content-Type-Options': 'nosniff',
            'Content-Security-Policy': "default-src 'none'; sandbox",
            'Cache-Control': 'private, no-store',
          },
        }
      } catch (error) {
        if (error instanceof FilesUnavailable || error instanceof NoSuchFile) return refuse('files-unavailable')
        throw error
      }
    },
  )
}

const streamOf = (bytes: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> =>
  ReadableStream.from(bytes) as ReadableStream<Uint8Array>
