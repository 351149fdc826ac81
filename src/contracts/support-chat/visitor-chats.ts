import type { ChatCommand } from '../../../machines/chat/commands.ts'
import { type Party, Refusal, refuse } from '../../../machines/kernel.ts'
import type { Answer, Call } from '../../runtime/answer.ts'
import type { Entities } from '../../runtime/entities.ts'
import { derivedId } from '../../runtime/ids.ts'

/** An answer together with the chat that gave it; null when there is no chat at all. */
export interface RoomAnswer {
  readonly room: string | null
  readonly answer: Answer
}

/** The chats of visitors, who never name a chat: they mean their latest one. */
export interface VisitorChats {
  /** Asks the visitor's latest chat. */
  askLatest(command: ChatCommand, call: Call): Promise<RoomAnswer>
  /** Opens the visitor's next chat; refused with `chat-already-open` while the latest is open. */
  open(command: ChatCommand, call: Call): Promise<RoomAnswer>
}

const REMEMBERED = 20_000

/**
 * A visitor's chats are numbered 0, 1, 2 … and the id of each follows from the visitor and the number. Number n+1 is
 * asked to open only after number n has answered that it is closed, for ever; so at most one is open, on any number of
 * nodes, by construction.
 */
export function visitorChats(entities: Entities): VisitorChats {
  /** Visitor -> a number that exists, and its chat; where to begin to look. Only a hint, so it may be forgotten. */
  const hints = new Map<string, { readonly n: number; readonly room: string }>()

  const exists = async (by: Party, n: number): Promise<boolean> =>
    (await entities.state('chat', chatId(by, n))).revision >= 0

  /**
   * The highest number that exists, -1 for none: doubling steps from the hint, then halving the gap. An open chat has
   * no successor.
   */
  const latest = async (by: Party): Promise<number> => {
    let low = hints.get(nameOf(by))?.n ?? -1
    if (low >= 0 && !(await entities.state('chat', chatId(by, low))).state.matches('closed')) return low
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
    const name = nameOf(by)
    hints.delete(name)
    hints.set(name, { n, room: chatId(by, n) })
    if (hints.size > REMEMBERED) for (const [oldest] of hints) return void hints.delete(oldest)
  }

  const ask = async (room: string, command: ChatCommand, call: Call): Promise<RoomAnswer> => ({
    room,
    answer: await entities.ask('chat', room, command, call),
  })

  /**
   * A visitor names no chat, so a call that is repeated after a lost connection may come when their next chat is open
   * already. It still means the chat before, which then has its first answer.
   */
  const answeredBefore = async (n: number, command: ChatCommand, call: Call): Promise<RoomAnswer | undefined> => {
    if (call.clientId === undefined || n < 1) return undefined
    const room = chatId(command.by, n - 1)
    const answer = await entities.remembered('chat', room, command, call)
    return answer && { room, answer }
  }

  return {
    async askLatest(command, call) {
      if (command.by.role !== 'visitor') return { room: null, answer: refuse('visitors-only') }
      // An open chat is the latest one, so it can be asked without a look: a look would read the log, and wait in no
      // bounded mailbox.
      const hint = hints.get(nameOf(command.by))
      if (hint !== undefined) {
        const answered = await answeredBefore(hint.n, command, call)
        if (answered) return answered
        const asked = await ask(hint.room, command, call)
        if (!(asked.answer instanceof Refusal && asked.answer.code === 'chat-closed')) return asked
      }
      const n = await latest(command.by)
      if (n < 0) return { room: null, answer: refuse('no-open-chat') }
      return (await answeredBefore(n, command, call)) ?? ask(chatId(command.by, n), command, call)
    },
    async open(command, call) {
      if (command.by.role !== 'visitor') return { room: null, answer: refuse('visitors-only') }
      // The latest chat is asked even when it is closed: a repeated call finds its first answer there.
      const first = Math.max(0, await latest(command.by))
      const answered = await answeredBefore(first, command, call)
      if (answered) return answered
      for (let n = first; ; n++) {
        const { room, answer } = await ask(chatId(command.by, n), command, call)
        if (answer instanceof Refusal && answer.code === 'chat-closed') continue
        if (!(answer instanceof Refusal)) remember(command.by, n)
        return { room, answer }
      }
    },
  }
}

const nameOf = (by: Party): string => `${by.org}.${by.id}`

/** The dot keeps organisation and visitor apart: neither may hold one. */
const chatId = (by: Party, n: number): string => derivedId(`chat ${nameOf(by)} ${n}`)
