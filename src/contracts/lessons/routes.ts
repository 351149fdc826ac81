import { createRoute, z } from '@hono/zod-openapi'
import { withFailures } from '../../gateway/http/errors.ts'
import { asOf, id, idText, json, limit, next, plannedTime, security, time } from '../../gateway/http/schemas.ts'

const Lesson = z
  .object({
    id: z.string(),
    title: z.string(),
    teacher_id: z.string(),
    state: z.enum(['scheduled', 'live', 'ended']),
    starts_at: z.string(),
    planned_minutes: z.number(),
    code: z.string().nullable().openapi({ description: 'for join_lesson; null once the lesson has ended' }),
    started_at: z.string().nullable(),
    due_at: z.string().nullable().openapi({ description: 'when it is ended at the latest' }),
    ended_at: z.string().nullable(),
    end_reason: z.enum(['ended', 'overrun']).nullable(),
    participants_present: z.number(),
    seq: z.number(),
  })
  .openapi('Lesson')
const ParticipantShape = z
  .object({
    id: z.string(),
    role: z.string(),
    name: z.string().nullable(),
    present: z.boolean(),
    joins: z.number(),
    leaves: z.number(),
    reconnects: z.number(),
    seconds_present: z
      .number()
      .openapi({ description: 'the exact sum of the intervals, to the millisecond; an open one until now' }),
    intervals: z.array(z.object({ from: z.string(), to: z.string().nullable(), reason: z.string().nullable() })),
  })
  .openapi('Participant')
const one = withFailures({ 200: { description: 'The lesson', content: json(z.object({ data: Lesson })) } })

export const createLesson = createRoute({
  method: 'post',
  path: '/api/v1/lessons',
  security,
  summary: 'Schedule a lesson of your own (teachers); the answer has its join code',
  request: {
    body: {
      required: true,
      content: json(
        z.object({
          title: z.string().trim().min(1).max(200),
          starts_at: plannedTime,
          planned_minutes: z.number().int().min(1).max(1_440),
        }),
      ),
    },
  },
  responses: withFailures({ 201: { description: 'Scheduled', content: json(z.object({ data: Lesson })) } }),
})

export const startLesson = createRoute({
  method: 'post',
  path: '/api/v1/lessons/{id}/start',
  security,
  summary: 'Start a lesson (its teacher, admins)',
  request: { params: id },
  responses: one,
})

export const endLesson = createRoute({
  method: 'post',
  path: '/api/v1/lessons/{id}/end',
  security,
  summary: 'End a lesson, or call it off before it began (its teacher, admins)',
  request: { params: id },
  responses: one,
})

export const readLesson = createRoute({
  method: 'get',
  path: '/api/v1/lessons/{id}',
  security,
  summary: 'A lesson, now or as of any of its events (teachers, admins)',
  request: { params: id, query: asOf },
  responses: one,
})

export const listLessons = createRoute({
  method: 'get',
  path: '/api/v1/lessons',
  security,
  summary: 'Lessons of your organisation, those that start last first (teachers, admins)',
  request: {
    query: z.object({
      state: z.enum(['scheduled', 'live', 'ended']).optional(),
      teacher: idText.optional().openapi({ description: 'the id of a teacher, or me' }),
      from: time.optional().openapi({ description: 'planned to start at or after' }),
      to: time.optional().openapi({ description: 'planned to start before' }),
      limit: limit(200, 50),
      after: next,
    }),
  },
  responses: withFailures({
    200: { description: 'Lessons', content: json(z.object({ data: z.array(Lesson), next: z.string().optional() })) },
  }),
})

export const listParticipants = createRoute({
  method: 'get',
  path: '/api/v1/lessons/{id}/participants',
  security,
  summary: 'Who was in a lesson and when, now or as of any of its events (teachers, admins)',
  request: { params: id, query: asOf },
  responses: withFailures({
    200: {
      description: 'Participants',
      content: json(z.object({ data: z.array(ParticipantShape), seq: z.number(), as_of: z.string() })),
    },
  }),
})
