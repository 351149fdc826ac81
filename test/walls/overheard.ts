import type { Client } from '../support/client.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { leakIn } from './matrix.ts'
import { type Organisation, ROLES } from './organisation.ts'

/** Everything that the people of an organisation are told without asking, until `end`. */
export interface Overheard {
  /** To one who asks with strange ids: they may come back in a refusal. */
  listen(client: Client): void
  /** What stood in it of the other organisation. */
  end(): readonly string[]
}

/**
 * Their sockets, and an open stream of events for everybody who may have one. `isEchoed`: strange ids are written into
 * texts of their own, and come back in those.
 */
export async function overhear(
  url: string,
  own: Organisation,
  other: Organisation,
  isEchoed = false,
): Promise<Overheard> {
  const leaks: string[] = []
  const over = new AbortController()
  const look = (who: string, text: string, them: Organisation): void => {
    const leak = leakIn(text, them)
    if (leak !== null) leaks.push(`${who} heard ${leak}`)
  }
  const textsAlone = {
    ...other,
    ids: { ...other.ids, chat: [], lesson: [], course: [], session: [], video: [], quiz: [], lessonCode: [] },
  }
  const listen = ({ socket }: Client, them: Organisation): void => {
    socket.onAny((...told: unknown[]) => look('a socket', JSON.stringify(told), them))
  }
  const them = isEchoed ? textsAlone : other
  for (const client of own.clients) listen(client, them)
  for (const role of ROLES.filter((one) => one !== 'visitor')) {
    const signal = AbortSignal.any([over.signal, AbortSignal.timeout(PATIENCE_MS)])
    const { body } = await fetch(`${url}/api/v1/users/stream/${own.tokens[role]}`, { signal })
    void (async () => {
      const decoder = new TextDecoder()
      for await (const chunk of body ?? [])
        look(`the stream of a ${role}`, decoder.decode(chunk, { stream: true }), them)
    })().catch(() => undefined) // ended by us
  }
  return {
    listen: (client) => listen(client, textsAlone),
    end() {
      over.abort()
      return leaks
    },
  }
}

/** Lets an organisation go on with its day until it is told to stop. */
export function busy(organisation: Organisation): () => Promise<void> {
  let isOver = false
  const going = (async () => {
    for (let round = 0; !isOver; round++) await organisation.live(round)
  })()
  going.catch(() => undefined) // told to whoever ends it
  return async () => {
    isOver = true
    await going
  }
}
