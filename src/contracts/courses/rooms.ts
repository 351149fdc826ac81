import type { PersonRef } from '../../../machines/stream.ts'
import { type Audience, personRoom, type RoomName } from '../../delivery/notice.ts'

const COURSE = 'course_room '
const VIDEO = 'video_room '

/** Everybody who has joined a course. */
export const courseRoom = (course: string): RoomName => `${COURSE}${course}`
/** Those of them who teach it, or are admins. */
export const instructorRoom = (course: string): RoomName => `instructor_room ${course}`
/** Everybody who has joined a video. */
export const videoRoom = (video: string): RoomName => `${VIDEO}${video}`

/** The course, and the video, whose room this is. */
export const courseIn = (room: string): readonly string[] =>
  room.startsWith(COURSE) ? [room.slice(COURSE.length)] : []
export const videoIn = (room: string): readonly string[] => (room.startsWith(VIDEO) ? [room.slice(VIDEO.length)] : [])

export const toCourse = (course: string): Audience => ({ kind: 'course', room: courseRoom(course) })
export const toInstructors = (course: string): Audience => ({ kind: 'instructors', room: instructorRoom(course) })
/** A socket is in both rooms of a teacher: together with `toInstructors` it is told once. */
export const toOthersInCourse = (course: string): Audience => ({
  ...toCourse(course),
  except: [instructorRoom(course)],
})
export const toVideo = (video: string): Audience => ({ kind: 'video', room: videoRoom(video) })
export const toOthersInVideo = (video: string, but: PersonRef): Audience => ({
  ...toVideo(video),
  except: [personRoom(but)],
})
