import { type CommandOf, catalogue } from '../../machines/catalogue.ts'
import type { Seen } from './verify.ts'

/**
 * Asked for every contract alike: by what serves HTTP or sockets, or to make numbers, tickets, files and mails of;
 * organisations stand before all of them.
 */
type Elsewhere = 'request' | 'client' | 'counter' | 'file' | 'mail' | 'number' | 'organisation' | 'ticket'
type Verified = Exclude<keyof typeof catalogue, Elsewhere>

/** Every command of the machines that contracts stand on: the compiler asks for each name. */
const commands: { readonly [K in Verified]: Readonly<Record<CommandOf<K>['type'], true>> } = {
  attendance: {
    StartAttendance: true,
    CheckIn: true,
    Mark: true,
    EndAttendance: true,
    CallOffAttendance: true,
    EndOverdueAttendance: true,
  },
  chat: {
    OpenChat: true,
    Write: true,
    ClaimChat: true,
    TakeOverChat: true,
    FlagChat: true,
    LeaveChat: true,
    CloseAbandonedChat: true,
    TransferChat: true,
    ReturnChat: true,
    AssignChat: true,
    ReturnAbandonedChat: true,
  },
  course: {
    CreateCourse: true,
    Retitle: true,
    AssignTeacher: true,
    WithdrawTeacher: true,
    Enrol: true,
    Unenrol: true,
  },
  joincode: { ReserveJoinCode: true },
  lesson: {
    ScheduleLesson: true,
    ChangeLessonPlan: true,
    StartLesson: true,
    EndLesson: true,
    EndOverdueLesson: true,
    JoinLesson: true,
    LeaveLesson: true,
    ResumeLesson: true,
    LookOn: true,
  },
  login: { AddLogin: true },
  person: {
    Introduce: true,
    OpenAccount: true,
    ChangeProfile: true,
    ChangePassword: true,
    Disable: true,
    Enable: true,
  },
  project: {
    CreateProject: true,
    RetitleProject: true,
    DeleteProject: true,
    AddParticipant: true,
    RemoveParticipant: true,
    LeaveProject: true,
    DesignateCoach: true,
    WithdrawCoach: true,
    SendMessage: true,
  },
  quiz: { SetQuiz: true, AnswerQuiz: true },
  review: { GiveReview: true },
  video: { AddVideo: true, Remark: true, RemoveRemark: true },
  watch: { JoinVideo: true, LeaveVideo: true, MakeProgress: true },
  presence: { Arrive: true, Leave: true, Return: true, Expire: true },
}

/** Commands and events of these categories that a verification has not seen; it has to come to none. */
export const unseen = (seen: Seen, ...categories: readonly Verified[]): readonly string[] =>
  categories.flatMap((category) => [
    ...Object.keys(commands[category]).filter((type) => !seen.commands.has(type)),
    ...Object.keys(catalogue[category].events).filter((type) => !seen.events.has(type)),
  ])
