import { connect } from 'lyceum-client'
import type { Calls, Events } from 'lyceum-client/events'
import { Refused } from 'lyceum-client/refused'
import { type Answer, gist, insisting, listening, type Player } from './client.ts'
import type { Member } from './house.ts'
import { NAMES, say, wordsFor } from './narrate.ts'

/** Somebody at the typed client, which goes on by itself whatever happens to its line. */
export interface DeskPlayer extends Player {
  /** Resolves when it is connected again. */
  readonly isBack: () => Promise<void>
}

/** `quiet`: pushes that are heard without being told, because somebody else tells them already. */
export async function sitDown(
  url: string,
  who: string,
  { token }: Member,
  quiet: readonly string[] = [],
): Promise<DeskPlayer> {
  const client = connect({ url, token, socket: { reconnectionDelay: 300, reconnectionDelayMax: 300 } })
  const { hear, told } = listening(who)
  for (const name of NAMES as readonly (keyof Events)[])
    client.on(name, (data) => {
      if (!quiet.includes(name)) say(who, wordsFor(name, data))
      hear(name, data)
    })
  const until = (isSo: boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (client.isConnected !== isSo) return
        end()
        resolve()
      }
      const end = client.onChange(look)
      look()
    })
  await until(true)

  const ask = async (name: string, data: object = {}): Promise<Answer> => {
    say(who, `▸ ${name.padEnd(25)} ${gist(data)}`)
    try {
      const { room, seq } = await client.call(name as keyof Calls, data as Calls[keyof Calls])
      return { ok: true, place: { room: String(room), seq } }
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      say(who, `  no: ${error.message}`)
      return { ok: false, error: error.message }
    }
  }
  return {
    ask,
    must: insisting(who, ask),
    told,
    async isBack() {
      await until(false)
      await until(true)
    },
    close: client.close,
  }
}
