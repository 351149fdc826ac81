import type { Refusals } from '../../delivery/refusals.ts'
import { courseRefusals } from '../courses/refusals.ts'

/** What is refused about attendance sessions, and about the courses that they are held in. */
export const attendanceRefusals = {
  ...courseRefusals,
  'check-in-by-teacher': [409, 'nobody checks in here: the teacher marks who is there'],
  'csv-too-large': [413, 'more than {most} sessions: ask for a shorter time, from and to'],
  'marked-by-teacher': [409, 'your teacher has marked you already: ask them to change it'],
  'no-such-event': [404, 'this session has no event with that number: at goes from 0 to the seq of its last event'],
  'no-such-session': [404, 'session not found: there is no attendance session with this id'],
  'not-enrolled': [409, 'this student is not enrolled in the course'],
  'own-attendance-only': [403, 'students see their own attendance only'],
  'session-called-off': [409, 'this attendance session was called off'],
  'session-ended': [409, 'this attendance session has ended'],
  'session-exists': [409, 'there is an attendance session with this id already'],
  'session-full': [409, 'more than {most} students have a mark in this session: end it, and start another one'],
  'students-only': [403, 'only students check in, each for themselves'],
  'too-many-sessions': [
    409,
    'this course has {most} attendance sessions that are active: end one of them, or call it off, and start again',
  ],
  'wrong-check-in-code': [
    403,
    'this is not the current code: look at the screen again, a new one comes every 20 seconds',
  ],
} as const satisfies Refusals
