import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventSchemas } from '../machines/catalogue.ts'
import type { ChatEvent } from '../machines/chat/events.ts'
import type { Event } from '../machines/kernel.ts'
import type { PersonEvent } from '../machines/person/events.ts'
import type { PresenceEvent } from '../machines/presence/events.ts'
import { codec } from '../src/log/codec.ts'
import { openEmbeddedLog } from '../src/log/embedded.ts'
import type { Log } from '../src/log/log.ts'

/** The embedded log in a server's data directory. */
export function openLogIn(dataDirectory: string): Promise<Log> {
  return openEmbeddedLog({
    path: join(dataDirectory, 'log'),
    codec: codec(eventSchemas),
    now: Date.now,
    onFatal(error) {
      throw error
    },
  })
}

/** Runs with a directory of its own, which is removed afterwards. */
export async function inDirectory<T>(work: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'lyceum-bench-'))
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

export interface Stream {
  readonly name: string
  readonly events: readonly Event[]
}

/** Appends whole streams, many at a time; returns the number of events. */
export async function write(log: Log, streams: Iterable<Stream>): Promise<number> {
  const left = streams[Symbol.iterator]()
  let events = 0
  const writer = async (): Promise<void> => {
    for (let next = left.next(); !next.done; next = left.next()) {
      const { name, events: history } = next.value
      for (let from = 0; from < history.length; from += 1_000) {
        const proposed = history.slice(from, from + 1_000).map((event) => {
          const id = randomUUID()
          return { id, event, meta: { correlationId: id, by: 'bench.bench' } }
        })
        await log.append(name, from - 1, proposed)
      }
      events += history.length
    }
  }
  await Promise.all(Array.from({ length: 256 }, writer))
  return events
}

const content = { text: 'I cannot find the invoice of last month, where do I have to look for it?', lang: 'en' }
const at = 1_700_000_000_000
const visitor = { name: 'Visitor', email: null, createdAt: at, updatedAt: null }

/** A chat that somebody has opened, with so many events altogether. */
export function openChat(org: string, visitorId: string, length = 1): readonly ChatEvent[] {
  const wrote: ChatEvent = { type: 'VisitorWrote', content }
  const opened: ChatEvent = { type: 'ChatOpened', org, visitorId, visitor, content }
  return [opened, ...Array.from({ length: length - 1 }, () => wrote)]
}

export function introduced(org: string, id: string): PersonEvent {
  return { type: 'PersonIntroduced', org, id, role: 'visitor', profile: { name: id }, issuedAt: at / 1000, at }
}

/** Visits from beginning to end, 13 events each: somebody comes, is served in a chat, and goes. */
export function* visits(org: string, number: number): Generator<Stream> {
  for (let n = 0; n < number; n++) {
    const id = `v${n}`
    const presence: readonly PresenceEvent[] = [
      { type: 'CameOnline', role: 'visitor', at },
      { type: 'WentOffline', reason: 'left' },
    ]
    const staffId = `a${n % 20}`
    const said: readonly ChatEvent[] = [
      { type: 'StaffWrote', staffId, content },
      { type: 'VisitorWrote', content },
    ]
    const claimed: ChatEvent = { type: 'ChatClaimed', staffId, role: 'agent' }
    const closed: ChatEvent = { type: 'ChatClosed', reason: 'visitor-left' }
    yield { name: `person-${org}.${id}`, events: [introduced(org, id)] }
    yield { name: `presence-${org}.${id}`, events: presence }
    yield {
      name: `chat-${String(n).padStart(32, '0')}`,
      events: [...openChat(org, id, 2), claimed, ...said, ...said, ...said, closed],
    }
  }
}
