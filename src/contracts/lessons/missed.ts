import { streamName } from '../../../machines/stream.ts'
import type { Node } from '../../delivery/contract.ts'
import type { Past } from '../../delivery/past.ts'
import { lessonRoom } from './audiences.ts'
import { isLessonId } from './inbound.ts'
import { type LessonChange, LessonsModel } from './lessons-model.ts'
import { lessonNotices } from './notices.ts'
import { lessonHistory } from './record.ts'

/** What a participant has missed: of the lessons that they are in, and of the one that their handshake names. */
export const lessonPast = ({ log }: Pick<Node, 'log'>, lessons: Pick<LessonsModel, 'lessonsOf'>): Past => {
  const history = lessonHistory(log)
  return {
    async streams({ kind, party: { org, id }, query: { lesson_id: named } }) {
      if (kind === 'hub') return []
      const all = new Set([...lessons.lessonsOf(org, id), ...(isLessonId(named) ? [named] : [])])
      return [...all].map((lesson) => ({ name: streamName('lesson', lesson), endsPast: () => true }))
    },
    feeds: () => [{ model: new LessonsModel(log, history), notices: lessonNotices }],
    move(change, { party: { org, id } }, rooms) {
      const { record, recorded, who } = change as LessonChange // of the feed above
      if (who?.home !== org || who.id !== id) return
      if (recorded.event.type === 'ParticipantJoined') rooms.add(lessonRoom(record.id))
      else if (recorded.event.type === 'ParticipantLeft') rooms.delete(lessonRoom(record.id))
    },
  }
}
