import { Already } from './already.ts'
import { type Chat, chatAfter } from './chat.ts'
import { type Desk, deskAfter, deskOf, type OwnMessages, ownMessagesAfter } from './desk.ts'
import type { Events } from './events.ts'
import { type Lesson, lessonsAfter } from './lesson.ts'

/** Everything that a client holds, as of the last push; each part is undefined or empty until it was told. */
export interface Held {
  /** Of staff. */
  readonly desk: Desk | undefined
  /** Of staff: what is said in the chats that they serve, by room. */
  readonly ownMessages: OwnMessages
  /** Of visitors; null = they have none open. */
  readonly chat: Chat | undefined
  /** By id. */
  readonly lessons: Readonly<Record<string, Lesson>>
  /** Active attendance sessions, by course. */
  readonly courses: Readonly<Record<string, Events['activeSessionsData']['activeSessions']>>
}

export const NOTHING: Held = { desk: undefined, ownMessages: {}, chat: undefined, lessons: {}, courses: {} }

/** Keeps what is told; whatever comes twice counts once. */
export class State {
  #held: Held
  readonly #already = new Already()

  constructor(held: Held = NOTHING) {
    this.#held = held
  }

  get held(): Held {
    return this.#held
  }

  /** False when it was applied before. */
  apply(name: string, data: Events[keyof Events]): boolean {
    if (this.#isRepeated(name, data)) return false
    const { desk, ownMessages, chat, lessons, courses } = this.#held
    switch (name) {
      case 'cursor_unknown':
        this.#held = NOTHING
        this.#already.clear()
        return true
      case 'staff_init': {
        const told = deskOf(data as Events['staff_init'])
        const served = new Set(told.own_chats.map(({ room }) => room.id))
        const kept = Object.entries(ownMessages).filter(([room]) => served.has(room))
        this.#held = { ...this.#held, desk: told, ownMessages: Object.fromEntries(kept) }
        return true
      }
      case 'visitor_init':
        this.#held = { ...this.#held, chat: (data as Events['visitor_init']).chat }
        return true
      case 'activeSessionsData': {
        const { course_id, activeSessions } = data as Events['activeSessionsData']
        this.#held = { ...this.#held, courses: { ...courses, [course_id]: activeSessions } }
        return true
      }
      default:
        this.#held = {
          courses,
          desk: desk && deskAfter(desk, name, data),
          ownMessages: ownMessagesAfter(ownMessages, name, data),
          chat: chat === undefined ? undefined : chatAfter(chat, name, data),
          lessons: lessonsAfter(lessons, name, data),
        }
        return true
    }
  }

  /** Opening states are told as often as they are asked for. */
  #isRepeated(name: string, data: object): boolean {
    const { id } = data as { readonly id?: unknown }
    const isOpening = OPENINGS.has(name)
    return !isOpening && typeof id === 'string' && this.#already.has(name, id)
  }
}

const OPENINGS: ReadonlySet<string> = new Set(['lesson_state', 'activeSessionsData'])
