import type { Events } from './events.ts'

/** Who is in a lesson, and how it stands: `lesson_state` without the place of its event. */
export type Lesson = Omit<Events['lesson_state'], 'id' | 'seq' | 'pos'>

/** The lessons that somebody is in, by id, after a push. `lesson_state` begins each. */
export function lessonsAfter(
  lessons: Readonly<Record<string, Lesson>>,
  name: string,
  data: Events[keyof Events],
): Readonly<Record<string, Lesson>> {
  if (name === 'lesson_state') {
    const { id: _, seq: _seq, pos: _pos, ...lesson } = data as Events['lesson_state']
    return { ...lessons, [lesson.lesson_id]: lesson }
  }
  const lesson = lessons[(data as { readonly lesson_id?: string }).lesson_id ?? '']
  return lesson ? { ...lessons, [lesson.lesson_id]: lessonAfter(lesson, name, data) } : lessons
}

function lessonAfter(lesson: Lesson, name: string, data: Events[keyof Events]): Lesson {
  switch (name) {
    case 'lesson_started': {
      const { started_at, due_at } = data as Events['lesson_started']
      return { ...lesson, state: 'live', started_at, due_at }
    }
    case 'lesson_ended':
      return { ...lesson, state: 'ended', ended_at: (data as Events['lesson_ended']).ended_at, participants: [] }
    case 'participant_joined': {
      const joined = (data as Events['participant_joined']).participants
      const others = lesson.participants.filter((one) => !joined.some((came) => isSame(came, one)))
      const came = joined.map(({ participant_id, role, name, at: since }) => ({ participant_id, role, name, since }))
      return { ...lesson, participants: [...others, ...came] }
    }
    case 'participant_left': {
      const gone = (data as Events['participant_left']).participants
      return { ...lesson, participants: lesson.participants.filter((one) => !gone.some((left) => isSame(left, one))) }
    }
    default:
      return lesson
  }
}

const isSame = (one: { readonly participant_id: string }, other: { readonly participant_id: string }): boolean =>
  one.participant_id === other.participant_id
