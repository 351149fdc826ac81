import { decide as decideAttendance } from './attendance/decide.ts'
import { attendanceEvents } from './attendance/events.ts'
import { attendanceMachine } from './attendance/machine.ts'
import { decide as decideChat } from './chat/decide.ts'
import { chatEvents } from './chat/events.ts'
import { chatMachine } from './chat/machine.ts'
import { decide as decideClient } from './client/decide.ts'
import { clientEvents } from './client/events.ts'
import { clientMachine } from './client/machine.ts'
import { decide as decideCounter } from './counter/decide.ts'
import { counterEvents } from './counter/events.ts'
import { counterMachine } from './counter/machine.ts'
import { decide as decideCourse } from './course/decide.ts'
import { courseEvents } from './course/events.ts'
import { courseMachine } from './course/machine.ts'
import { decide as decideFile } from './file/decide.ts'
import { fileEvents } from './file/events.ts'
import { fileMachine } from './file/machine.ts'
import { decide as decideJoincode } from './joincode/decide.ts'
import { joincodeEvents } from './joincode/events.ts'
import { joincodeMachine } from './joincode/machine.ts'
import type { Command, Decision, Event, EventSchema } from './kernel.ts'
import { decide as decideLesson } from './lesson/decide.ts'
import { lessonEvents } from './lesson/events.ts'
import { lessonMachine } from './lesson/machine.ts'
import { decide as decideLogin } from './login/decide.ts'
import { loginEvents } from './login/events.ts'
import { loginMachine } from './login/machine.ts'
import { decide as decideMail } from './mail/decide.ts'
import { mailEvents } from './mail/events.ts'
import { mailMachine } from './mail/machine.ts'
import { decide as decideNumber } from './number/decide.ts'
import { numberEvents } from './number/events.ts'
import { numberMachine } from './number/machine.ts'
import { decide as decideOrganisation } from './organisation/decide.ts'
import { organisationEvents } from './organisation/events.ts'
import { organisationMachine } from './organisation/machine.ts'
import { decide as decidePerson } from './person/decide.ts'
import { personEvents } from './person/events.ts'
import { personMachine } from './person/machine.ts'
import { decide as decidePresence } from './presence/decide.ts'
import { presenceEvents } from './presence/events.ts'
import { presenceMachine } from './presence/machine.ts'
import { decide as decideProject } from './project/decide.ts'
import { projectEvents } from './project/events.ts'
import { projectMachine } from './project/machine.ts'
import { decide as decideQuiz } from './quiz/decide.ts'
import { quizEvents } from './quiz/events.ts'
import { quizMachine } from './quiz/machine.ts'
import { decide as decideRequest } from './request/decide.ts'
import { requestEvents } from './request/events.ts'
import { requestMachine } from './request/machine.ts'
import { decide as decideReview } from './review/decide.ts'
import { reviewEvents } from './review/events.ts'
import { reviewMachine } from './review/machine.ts'
import { decide as decideTicket } from './ticket/decide.ts'
import { ticketEvents } from './ticket/events.ts'
import { ticketMachine } from './ticket/machine.ts'
import { decide as decideVideo } from './video/decide.ts'
import { videoEvents } from './video/events.ts'
import { videoMachine } from './video/machine.ts'
import { decide as decideWatch } from './watch/decide.ts'
import { watchEvents } from './watch/events.ts'
import { watchMachine } from './watch/machine.ts'

/**
 * Everything that the runtime must know about one kind of entity. `M` is its XState machine, `S` that machine's
 * snapshot.
 */
export interface Kind<M, S, C extends Command, E extends Event> {
  readonly machine: M
  readonly decide: (state: S, command: C) => Decision<E>
  /** Every event this kind has ever recorded, by type. */
  readonly events: Readonly<Record<E['type'], EventSchema>>
}

const kind = <M, S, C extends Command, E extends Event>(it: Kind<M, S, C, E>): Kind<M, S, C, E> => it

/** Stream category -> kind of entity: the only list of all kinds. An entity's stream is `<category>-<id>`. */
export const catalogue = {
  attendance: kind({ machine: attendanceMachine, decide: decideAttendance, events: attendanceEvents }),
  chat: kind({ machine: chatMachine, decide: decideChat, events: chatEvents }),
  client: kind({ machine: clientMachine, decide: decideClient, events: clientEvents }),
  counter: kind({ machine: counterMachine, decide: decideCounter, events: counterEvents }),
  course: kind({ machine: courseMachine, decide: decideCourse, events: courseEvents }),
  file: kind({ machine: fileMachine, decide: decideFile, events: fileEvents }),
  joincode: kind({ machine: joincodeMachine, decide: decideJoincode, events: joincodeEvents }),
  lesson: kind({ machine: lessonMachine, decide: decideLesson, events: lessonEvents }),
  login: kind({ machine: loginMachine, decide: decideLogin, events: loginEvents }),
  mail: kind({ machine: mailMachine, decide: decideMail, events: mailEvents }),
  number: kind({ machine: numberMachine, decide: decideNumber, events: numberEvents }),
  organisation: kind({ machine: organisationMachine, decide: decideOrganisation, events: organisationEvents }),
  person: kind({ machine: personMachine, decide: decidePerson, events: personEvents }),
  presence: kind({ machine: presenceMachine, decide: decidePresence, events: presenceEvents }),
  project: kind({ machine: projectMachine, decide: decideProject, events: projectEvents }),
  quiz: kind({ machine: quizMachine, decide: decideQuiz, events: quizEvents }),
  request: kind({ machine: requestMachine, decide: decideRequest, events: requestEvents }),
  review: kind({ machine: reviewMachine, decide: decideReview, events: reviewEvents }),
  ticket: kind({ machine: ticketMachine, decide: decideTicket, events: ticketEvents }),
  video: kind({ machine: videoMachine, decide: decideVideo, events: videoEvents }),
  watch: kind({ machine: watchMachine, decide: decideWatch, events: watchEvents }),
}

/** A kind whose parts are matched to each other, but known to nobody else. */
// biome-ignore lint/suspicious/noExplicitAny: each kind knows its own states, commands and events
export type AnyKind = Kind<any, any, any, any>
export type Kinds = Readonly<Record<string, AnyKind>>

/** Kinds that are handed to `serve` besides the catalogue's declare their types here (`test/poll/` does). */
// biome-ignore lint/suspicious/noEmptyInterface: it is filled by declaration merging
export interface MoreKinds {}
type AllKinds = typeof catalogue & MoreKinds

export type Category = keyof AllKinds & string
export type CommandOf<K extends Category> = AllKinds[K] extends {
  decide: (state: never, command: infer C extends Command) => unknown
}
  ? C
  : never
export type StateOf<K extends Category> = AllKinds[K] extends { decide: (state: infer S, command: never) => unknown }
  ? S
  : never
/** Every event that entities of one category record. */
export type EventOf<K extends Category> = AllKinds[K] extends { decide: (...asked: never) => Decision<infer E> }
  ? E
  : never

/** Schemas of all events of these kinds, for the log's codec. Event names are unique over all kinds. */
export const schemasOf = (kinds: Kinds): Readonly<Record<string, EventSchema>> =>
  Object.assign({}, ...Object.values(kinds).map((one) => one.events))

export const eventSchemas = schemasOf(catalogue)
