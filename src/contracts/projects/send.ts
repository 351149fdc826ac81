import { createHash } from 'node:crypto'
import { Refusal, refuse } from '../../../machines/kernel.ts'
import type { FileRef } from '../../../machines/project/events.ts'
import type { Connection, Outcome } from '../../delivery/connection.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Subscriptions } from '../../delivery/subscriptions.ts'
import { BadBase64, decodeBase64, decodedSize } from '../../files/base64.ts'
import { cleanName } from '../../files/clean-name.ts'
import { type FileStore, FilesUnavailable, type StoredFile } from '../../files/file-store.ts'
import { contentProblem, nameProblem } from '../../files/kinds.ts'
import type { AdmissionQueue } from '../../runtime/admission-queue.ts'
import type { Answer } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import type { Numbers } from '../../runtime/numbers.ts'
import type { ProjectAccess } from './access.ts'
import type { MessageAsked, ProjectAsks } from './inbound.ts'

type FileAsked = NonNullable<MessageAsked['file']>
type Keep = (pieces: readonly Uint8Array[]) => Promise<StoredFile>

export interface ProjectCallsParts extends Pick<Node, 'clock'> {
  readonly entities: Pick<Entities, 'remembered'>
  readonly admission: AdmissionQueue
  readonly access: ProjectAccess
  readonly numbers: Numbers
  readonly files: Pick<FileStore, 'put'>
  readonly joined: Subscriptions
}

const MAX_FILE_BYTES = 5 * 1024 * 1024

/** What sockets do in projects. */
export function projectCalls(parts: ProjectCallsParts): ProjectAsks {
  const { entities, admission, access, numbers, files, joined, clock } = parts
  const about = (project: number, { answer }: Outcome): Outcome => ({ about: String(project), answer })

  /** Decoded, looked at and kept; or why not. */
  const taken = async ({ name: sent, base64 }: FileAsked, keep: Keep): Promise<FileRef | Refusal> => {
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
      return { name, ...(await keep(pieces)) }
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

  /** What is asked of the project; or why not. */
  const commandOf = async (message: MessageAsked, receiverId: string | null, from: Connection, keep: Keep) => {
    const { content, clientId } = message
    const file = message.file && (await taken(message.file, keep))
    if (file instanceof Refusal) return file
    const command = { type: 'SendMessage', receiverId, content, file, by: from.party, at: clock.now() } as const
    const payload = { receiverId, content, file: file && { hash: file.hash, name: file.name } }
    return { command, call: clientId === undefined ? {} : { clientId, payload } }
  }

  /** Whoever may send no more is told again what they were told of what they had sent; otherwise `no`. */
  const answeredBefore = async (message: MessageAsked, from: Connection, no: Refusal): Promise<Answer> => {
    if (message.clientId === undefined) return no
    const { senderNumber } = message
    if (senderNumber !== null && senderNumber !== (await numbers.of(from.party))) return no
    const receiverId = await receiver(message.receiverNumber, from)
    if (receiverId instanceof Refusal) return no
    const asked = await commandOf(message, receiverId, from, async (pieces) => hashed(pieces))
    if (asked instanceof Refusal) return no
    return (await entities.remembered('project', String(message.project), asked.command, asked.call)) ?? no
  }

  return {
    join: async (project, from) => about(project, await joined.subscribe(String(project), from)),
    async leave(project, from) {
      const left = await joined.unsubscribe(String(project), from)
      const found = await access.ofParticipant(project, from.party)
      return about(project, found instanceof Refusal ? { about: null, answer: found } : left)
    },
    async send(message, from, entered) {
      const { project, senderNumber, receiverNumber } = message
      const { party: by } = from
      const answered = (answer: Answer): Outcome => ({ about: String(project), answer })
      const found = await access.ofParticipant(project, by)
      if (found instanceof Refusal) return answered(await answeredBefore(message, from, found))
      const own = await numbers.of(by)
      if (senderNumber !== null && senderNumber !== own) return answered(refuse('not-the-sender', { number: `${own}` }))
      const receiverId = await receiver(receiverNumber, from)
      if (receiverId instanceof Refusal) return answered(receiverId)
      if (receiverId !== null && !found.participants.some(({ id }) => id === receiverId))
        return answered(await answeredBefore(message, from, refuse('no-such-participant')))
      const asked = await commandOf(message, receiverId, from, (pieces) => files.put(pieces))
      if (asked instanceof Refusal) return answered(asked)
      return answered(await admission.ask('project', String(project), asked.command, { ...asked.call, entered }))
    },
  }
}

function hashed(pieces: readonly Uint8Array[]): StoredFile {
  const hash = createHash('sha256')
  let size = 0
  for (const piece of pieces) {
    hash.update(piece)
    size += piece.byteLength
  }
  return { hash: hash.digest('hex'), size }
}
