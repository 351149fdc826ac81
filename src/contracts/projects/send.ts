import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { FileRef } from '../../../machines/project/events.ts'
import type { Connection, Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Subscriptions } from '../../delivery/subscriptions.ts'
import { BadBase64, decodeBase64, decodedSize } from '../../files/base64.ts'
import { cleanName } from '../../files/clean-name.ts'
import { type FileStore, FilesUnavailable } from '../../files/file-store.ts'
import { contentProblem, nameProblem } from '../../files/kinds.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Numbers } from '../../runtime/numbers.ts'
import type { ProjectAccess } from './access.ts'
import type { MessageAsked, ProjectAsks } from './inbound.ts'

export interface ProjectCallsParts extends Pick<Node, 'clock'> {
  readonly admission: AdmissionQueue
  readonly access: ProjectAccess
  readonly numbers: Numbers
  readonly files: Pick<FileStore, 'put'>
  readonly joined: Subscriptions
}

const MAX_FILE_BYTES = 5 * 1024 * 1024

/** What sockets do in projects. */
export function projectCalls(parts: ProjectCallsParts): ProjectAsks {
  const { admission, access, numbers, files, joined, clock } = parts
  const about = (project: number, { answer }: Outcome): Outcome => ({ about: String(project), answer })

  /** Decoded, looked at and written; or why not. */
  const taken = async ({ name: sent, base64 }: NonNullable<MessageAsked['file']>): Promise<FileRef | Refusal> => {
    const name = cleanName(sent)
    const wrongName = nameProblem(sent)
    if (wrongName) return refuse('bad-file', { why: wrongName })
    const size = decodedSize(base64)
    if (size > MAX_FILE_BYTES)
      return refuse('bad-file', { why: `a file has at most ${MAX_FILE_BYTES} bytes, this one has ${size}` })
    try {
      const pieces: Uint8Array[] = []
      for await (const piece of decodeBase64(base64)) pieces.push(piece)
      const wrong = await contentProblem(name, Buffer.concat(pieces))
      if (wrong) return refuse('bad-file', { why: wrong })
      return { name, ...(await files.put(pieces)) }
    } catch (error) {
      if (error instanceof BadBase64) return refuse('bad-file', { why: `file_base64: ${error.message}` })
      if (error instanceof FilesUnavailable) return refuse('files-unavailable')
      throw error
    }
  }

  const receiver = async (number: number | null, from: Connection): Promise<string | null | Refusal> => {
    if (number === null) return null
    return (await numbers.personOf(number, from.party.org)) ?? refuse('no-such-participant')
  }

  return {
    join: async (project, from) => about(project, await joined.subscribe(String(project), from)),
    leave: async (project, from) => about(project, await joined.unsubscribe(String(project), from)),
    async send(message, from, entered) {
      const { project, senderNumber, receiverNumber, content } = message
      const { party: by } = from
      const refused = (answer: Refusal): Outcome => ({ about: String(project), answer })
      const found = await access.ofParticipant(project, by)
      if (found instanceof Refusal) return refused(found)
      const own = await numbers.of(by)
      if (senderNumber !== null && senderNumber !== own) return refused(refuse('not-the-sender', { number: `${own}` }))
      const receiverId = await receiver(receiverNumber, from)
      if (receiverId instanceof Refusal) return refused(receiverId)
      if (receiverId !== null && !found.participants.some(({ id }) => id === receiverId))
        return refused(refuse('no-such-participant'))
      const file = message.file && (await taken(message.file))
      if (file instanceof Refusal) return refused(file)
      const command = { type: 'SendMessage', receiverId, content, file, by, at: clock.now() } as const
      const { clientId } = message
      const payload = { receiverId, content, file: file && { hash: file.hash, name: file.name } }
      const call = clientId === undefined ? { entered } : { clientId, payload, entered }
      return { about: String(project), answer: await admission.ask('project', String(project), command, call) }
    },
  }
}
