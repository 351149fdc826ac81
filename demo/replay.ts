import { enter } from './client.ts'
import type { Member } from './house.ts'
import { print, title } from './narrate.ts'

interface RecordedEvent {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly data: object
}

/**
 * Tells a chat again: first what was recorded with the state after each event, then what its people heard, three times
 * as fast.
 */
export async function replay(url: string, boss: Member, room: string): Promise<void> {
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${url}/api/v1/chats/${room}${path}`, {
      headers: { Authorization: `Bearer ${boss.token}` },
    })
    if (!response.ok) throw new Error(`GET ${path} of chat ${room} was answered ${response.status}`)
    return ((await response.json()) as { data: unknown }).data
  }

  title(`Mia’s chat again, from the log: GET /api/v1/chats/${room}/events`)
  const events = (await get('/events')) as RecordedEvent[]
  for (const { seq, at, type, data } of events) {
    const { state } = (await get(`?at=${seq}`)) as { state: string }
    const time = new Date(at).toISOString().slice(11, 23)
    print(
      `${String(seq).padStart(6)}  ${time}  ${type.padEnd(14)} → ${state.padEnd(10)} ` +
        JSON.stringify(data).slice(0, 90),
    )
  }

  title('The same over Socket.IO, paced as it happened, three times as fast: replay_chat')
  const client = await enter(url, 'Supervisor', boss, ['staff_init', 'replay_event', 'replay_ended'])
  client.socket.on('replay_event', (told: { seq: number; to: string; event: string }) =>
    print(`${String(told.seq).padStart(6)}  ${told.event.padEnd(42)} to ${told.to}`),
  )
  const ended = client.told('replay_ended')
  await client.must('replay_chat', { room, speed: 3 })
  await ended
  client.close()
}
