import { type Audience, hubRoom, type RoomName } from '../../delivery/notice.ts'

export const lessonRoom = (lesson: string): RoomName => `lesson ${lesson}`
/** Those who have just come and do not know yet how it stands. */
export const waitingRoom = (lesson: string): RoomName => `door ${lesson}`

/** Everybody who is in a lesson. */
export const toLesson = (lesson: string): Audience => ({ kind: 'lesson', room: lessonRoom(lesson) })
export const toWaiting = (lesson: string): Audience => ({ kind: 'door', room: waitingRoom(lesson) })
/** Whoever looks on. */
export const toHub = (org: string, id: string): Audience => ({ kind: 'hub', room: hubRoom({ org, id }) })
