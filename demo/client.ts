import { io, type Socket } from 'socket.io-client'
import type { Member } from './house.ts'
import { say, wordsFor } from './narrate.ts'

/** Where what was asked now stands in its chat. */
export interface Place {
  readonly room: string
  readonly seq: number
}

export type Answer = { readonly ok: true; readonly place: Place } | { readonly ok: false; readonly error: string }

/** Somebody whose doings and hearings are told as they happen. */
export interface Player {
  /** Emits, tells the ack, and resolves to it. */
  ask(name: string, data?: object): Promise<Answer>
  /** The same, and a no is an error. */
  must(name: string, data?: object): Promise<Place>
  /** Waits for a push of this name that passes and has not been waited for before. */
  // biome-ignore lint/suspicious/noExplicitAny: pushes are JSON of many shapes
  told(name: string, passes?: (data: any) => boolean): Promise<any>
  close(): void
}

/** Somebody at Socket.IO's own client, as the documents connect it. */
export interface Screen extends Player {
  readonly socket: Socket
}

const PATIENCE_MS = 30_000

/** `quiet`: pushes that are heard without being told, because somebody else tells them already. */
export async function enter(
  url: string,
  who: string,
  { token }: Member,
  quiet: readonly string[] = [],
): Promise<Screen> {
  const socket = io(url, {
    forceNew: true,
    auth: { token, protocol: 2 },
    reconnectionDelay: 300,
    reconnectionDelayMax: 300,
  })
  const { hear, told } = listening(who)
  socket.onAny((name: string, data: unknown) => {
    if (!quiet.includes(name)) say(who, wordsFor(name, data))
    hear(name, data)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', (error) => {
      socket.close()
      reject(new Error(`${who} cannot connect: ${error.message}`))
    })
  })

  const ask = async (name: string, data?: object): Promise<Answer> => {
    say(who, `▸ ${name.padEnd(25)} ${gist(data)}`)
    const args = data === undefined ? [] : [data]
    const [yes, error, place] = await new Promise<[boolean, string, Place]>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${who} got no answer to ${name} within ${PATIENCE_MS} ms`)),
        PATIENCE_MS,
      )
      socket.emit(name, ...args, (...answer: [boolean, string, Place]) => {
        clearTimeout(timer)
        resolve(answer)
      })
    })
    if (!yes) say(who, `  no: ${error}`)
    return yes ? { ok: true, place } : { ok: false, error }
  }

  return {
    socket,
    ask,
    must: insisting(who, ask),
    told,
    close: () => void socket.close(),
  }
}

/** Asks, and takes a no for an error. */
export const insisting =
  (who: string, ask: Player['ask']): Player['must'] =>
  async (name, data) => {
    const answer = await ask(name, data)
    if (!answer.ok) throw new Error(`${name} of ${who} was refused: ${answer.error}`)
    return answer.place
  }

/** What somebody hears, and what waits for it. */
export function listening(who: string): { hear(name: string, data: unknown): void; readonly told: Player['told'] } {
  // biome-ignore lint/suspicious/noExplicitAny: see told
  const heard: { readonly name: string; readonly data: any }[] = []
  const watchers = new Set<() => void>()
  return {
    hear(name, data) {
      heard.push({ name, data })
      for (const look of watchers) look()
    },
    told: (name, passes = () => true) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const at = heard.findIndex((one) => one.name === name && passes(one.data))
          if (at < 0) return
          clearTimeout(timer)
          watchers.delete(look)
          resolve(heard.splice(at, 1)[0]?.data)
        }
        const timer = setTimeout(() => {
          watchers.delete(look)
          reject(new Error(`${who} was not told ${name} within ${PATIENCE_MS} ms`))
        }, PATIENCE_MS)
        watchers.add(look)
        look()
      }),
  }
}

export function gist(data: object | undefined): string {
  const { content, severity_level, text, message, timestamp, progress } = (data ?? {}) as {
    content?: { text?: string }
    severity_level?: number
    text?: string
    message?: string
    timestamp?: number
    progress?: number
  }
  const words = content?.text ?? text ?? message
  if (words !== undefined) return `“${words}”`
  if (progress !== undefined) return `at ${timestamp} s, ${progress} %`
  return severity_level === undefined ? '' : `severity ${severity_level}`
}
