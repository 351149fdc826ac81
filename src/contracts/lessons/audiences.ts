import type { Audience } from '../../delivery/notice.ts'

export const lessonRoom = (lesson: string): string => `lesson ${lesson}`
/** Those who have just come and do not know yet how it stands. */
export const waitingRoom = (lesson: string): string => `door ${lesson}`

/** Everybody who is in a lesson. */
export const toLesson = (lesson: string): Audience => ({ kind: 'lesson', room: lessonRoom(lesson) })
export const toWaiting = (lesson: string): Audience => ({ kind: 'door', room: waitingRoom(lesson) })
