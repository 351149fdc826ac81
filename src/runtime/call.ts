import { randomUUID } from 'node:crypto'
import type { Command } from '../../machines/kernel.ts'
import { personName } from '../../machines/stream.ts'
import type { Meta } from '../log/log.ts'
import type { Answer, Call } from './answer.ts'
import { derivedUuid, digestOf } from './ids.ts'

/** A command in an entity's mailbox. */
export interface Waiting<C> {
  readonly command: C
  /** The command's id (a UUID); the ids of its events follow from it. */
  readonly id: string
  /** Set when the client named its call: the name, made unique over people. */
  readonly key: string | undefined
  readonly digest: string
  readonly repeated: boolean
  readonly causedBy: string | undefined
  resolve(answer: Answer): void
  reject(error: unknown): void
}

/**
 * Ids that can be derived again: a named call and a policy's command keep theirs over repeats, restarts and nodes, so
 * that an append of unknown outcome is recognised by the log when it comes again.
 */
export function identify<C extends Command>(
  stream: string,
  command: C,
  { clientId, payload, repeated = false, causedBy }: Call,
  resolve: (answer: Answer) => void,
  reject: (error: unknown) => void,
): Waiting<C> {
  if (clientId === undefined) {
    const id = causedBy === undefined ? randomUUID() : derivedUuid(`${stream}\0${causedBy}\0${command.type}`)
    return { command, id, key: undefined, digest: '', repeated, causedBy, resolve, reject }
  }
  const { by, at: _, ...asked } = command
  const key = digestOf(`${personName(by)}\0${clientId}`)
  const digest = digestOf(JSON.stringify([command.type, payload ?? asked]))
  return { command, id: derivedUuid(`${stream}\0${key}\0${digest}`), key, digest, repeated, causedBy, resolve, reject }
}

export const eventIdOf = (commandId: string, nth: number): string => derivedUuid(`${commandId}/${nth}`)

/** Of a command by chance, which never comes again, nothing has to be derived again: its first event has its own id. */
export const nthEventOf = ({ id, key, causedBy }: Waiting<Command>, nth: number): string =>
  nth === 0 && key === undefined && causedBy === undefined ? id : eventIdOf(id, nth)

export function metaOf({ command, id, key, digest, causedBy }: Waiting<Command>, nth: number): Meta {
  const { by } = command
  return {
    correlationId: id,
    by: by.role === 'system' ? 'system' : personName(by),
    ...(causedBy === undefined ? {} : { causationId: causedBy }),
    ...(key !== undefined && nth === 0 ? { client: { key, digest } } : {}),
  }
}
