import type { ChatCommand } from '../../../machines/chat/commands.ts'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import { personName, streamName } from '../../../machines/stream.ts'
import type { Outcome } from '../../delivery/connection.ts'
import { keepNewest } from '../../keep-newest.ts'
import type { Log } from '../../log/log.ts'
import type { Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { derivedId } from '../../runtime/ids.ts'
import { visitorTurns } from './visitor-turns.ts'

/**
 * The chats of visitors, who never name a chat: they mean their latest one. Outcomes are about the chat that answered.
 */
export interface VisitorChats {
  /** Asks the visitor's latest chat. `call.entered` is called when the command stands in the mailbox of that chat. */
  askLatest(command: ChatCommand, call: Call): Promise<Outcome>
  /**
   * Opens the visitor's next chat; refused with `chat-already-open` while the latest is open. It takes several chats'
   * answers to know which chat that is, so `call.entered` is not called: an opening has entered when it is answered.
   */
  open(command: ChatCommand, call: Call): Promise<Outcome>
  /** Their chats in which something was recorded at this position or later, the latest first. */
  movedSince(by: Party, position: bigint): Promise<readonly string[]>
}

const REMEMBERED = 20_000

/**
 * A visitor's chats are numbered 0, 1, 2 … and the id of each follows from the visitor and the number. Number n+1 is
 * asked to open only after number n has answered that it is closed, for ever; so at most one is open, on any number of
 * nodes, by construction.
 *
 * A visitor's calls are decided in the order in which they begin, which for one connection is the order of its frames
 * (ORDER-1), though a chat that has ended sends calls on to the next one. Chats are entered in two ways:
 *   - straight: a call that finds the latest chat known, and nobody standing aside, stands in that chat's mailbox in
 *     the same turn, so behind all that began before it;
 *   - aside: a call that knows no chat, that its chat has sent away, or that opens a chat waits until all that began
 *     before it is answered, and only then looks for the latest chat. What is under way at that moment will be sent
 *     away too, or is answered; it counts as standing aside. So does what begins before the call stands in a mailbox
 *     (an opening: before it is answered), so it waits until it is the first in its turn.
 * The latest chat becomes another one only by a call that stands aside and is the first: then everything else under way
 * stands aside, and comes after it. Whoever waits does so for earlier calls only, so no two wait for each other.
 * A call that was sent away has told `entered` already. Of the calls of one connection that is none that can succeed,
 * unless another connection of the visitor opens a chat meanwhile: an opening of its own stands aside.
 */
export function visitorChats(entities: Entities, log: Pick<Log, 'read'>): VisitorChats {
  const turns = visitorTurns()
  /** Visitor -> a number that exists, and its chat: where to begin to look. Only a hint, so it may be forgotten. */
  const hints = new Map<string, { readonly n: number; readonly room: string }>()

  /** One that another node has just opened must not be taken for none. */
  const exists = async (by: Party, n: number): Promise<boolean> =>
    (await entities.latest('chat', chatId(by, n))).revision >= 0

  /**
   * The highest number that exists, -1 for none: doubling steps from the hint, then halving the gap. An open chat has
   * no successor.
   */
  const latest = async (by: Party): Promise<number> => {
    let low = hints.get(personName(by))?.n ?? -1
    if (low >= 0 && !(await entities.latest('chat', chatId(by, low))).state.matches('closed')) return low
    let step = 1
    while (await exists(by, low + step)) {
      low += step
      step *= 2
    }
    let high = low + step
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (await exists(by, middle)) low = middle
      else high = middle
    }
    if (low >= 0) remember(by, low)
    return low
  }

  const remember = (by: Party, n: number): void => {
    const name = personName(by)
    hints.delete(name)
    hints.set(name, { n, room: chatId(by, n) })
    keepNewest(hints, REMEMBERED)
  }

  const ask = async (room: string, command: ChatCommand, call: Call): Promise<Outcome> => ({
    about: room,
    answer: await entities.ask('chat', room, command, call),
  })

  /**
   * A visitor names no chat, so a call that is repeated after a lost connection may come when their next chat is open
   * already. It still means the chat before, which then has its first answer.
   */
  const answeredBefore = async (n: number, command: ChatCommand, call: Call): Promise<Outcome | undefined> => {
    const room = chatId(command.by, n - 1)
    const answer = await entities.remembered('chat', room, command, call)
    return answer && { about: room, answer }
  }
  const movedAt = async (room: string): Promise<bigint> => {
    for await (const [last] of log.read(streamName('chat', room), { backwards: true, limit: 1 }))
      return last?.position ?? -1n
    return -1n
  }
  const mayBeRepeated = (n: number, { clientId }: Call): boolean => clientId !== undefined && n > 0

  return {
    async askLatest(command, call) {
      const { by } = command
      if (by.role !== 'visitor') return { about: null, answer: refuse('visitors-only') }
      const known = hints.get(personName(by))
      // Before it has its turn: on the way from there to the mailbox nothing is awaited that others could overtake.
      if (known !== undefined && mayBeRepeated(known.n, call)) {
        const answered = await answeredBefore(known.n, command, call)
        if (answered) return answered
      }
      const turn = turns.begin(personName(by))
      try {
        // An open chat is the latest one, so it can be asked without a look: a look would read the log, and wait in no
        // bounded mailbox.
        if (known !== undefined && known === hints.get(personName(by)) && !turn.mustStandAside) {
          const asked = await ask(known.room, command, call)
          if (!hasEnded(asked)) return asked
        }
        await turn.standAside()
        const n = await latest(by)
        if (n < 0) return { about: null, answer: refuse('no-open-chat') }
        const answered = mayBeRepeated(n, call) ? await answeredBefore(n, command, call) : undefined
        if (answered) return answered
        const entered = (): void => {
          turn.goOn()
          call.entered?.()
        }
        return await ask(chatId(by, n), command, { ...call, entered })
      } finally {
        turn.end()
      }
    },
    async open(command, { entered: _, ...call }) {
      const { by } = command
      if (by.role !== 'visitor') return { about: null, answer: refuse('visitors-only') }
      const turn = turns.begin(personName(by))
      try {
        await turn.standAside()
        // The latest chat is asked even when it is closed: a repeated call finds its first answer there.
        const first = Math.max(0, await latest(by))
        const answered = mayBeRepeated(first, call) ? await answeredBefore(first, command, call) : undefined
        if (answered) return answered
        for (let n = first; ; n++) {
          const asked = await ask(chatId(by, n), command, call)
          if (hasEnded(asked)) continue
          if (!(asked.answer instanceof Refusal)) remember(by, n)
          return asked
        }
      } finally {
        turn.end()
      }
    },
    async movedSince(by, position) {
      const rooms: string[] = []
      // An older chat was over before a newer one began. A flag that is set on it later is nothing that they are told.
      for (let n = await latest(by); n >= 0; n--) {
        const room = chatId(by, n)
        if ((await movedAt(room)) < position) break
        rooms.push(room)
      }
      return rooms
    },
  }
}

const hasEnded = ({ answer }: Outcome): boolean => answer instanceof Refusal && answer.code === 'chat-closed'

/** The dot keeps organisation and visitor apart: neither may hold one. */
const chatId = (by: Party, n: number): string => derivedId(`chat ${personName(by)} ${n}`)
