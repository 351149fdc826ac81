import type { JsonSchema } from '../../src/gateway/http/schema-example.ts'

/**
 * What the ids of a path, of a query, of a body and of an event are ids of. A new one is told to this table, or the
 * matrix says that it does not know it.
 */
export type Kind =
  | 'chat'
  | 'lesson'
  | 'course'
  | 'session'
  | 'video'
  | 'quiz'
  | 'person'
  | 'project'
  | 'number'
  | 'lessonCode'
  | 'checkInCode'
  | 'email'
  | 'org'

/** A place for an id. `plain`: what it holds belongs to no organisation by itself. */
export interface Slot {
  readonly name: string
  readonly kind: Kind | 'plain'
}

/** By the segment of the path that the parameter stands behind. */
const BY_SEGMENT: Readonly<Record<string, Slot['kind']>> = {
  chats: 'chat',
  lessons: 'lesson',
  courses: 'course',
  'attendance-sessions': 'session',
  videos: 'video',
  quizzes: 'quiz',
  users: 'person',
  students: 'person',
  enrollments: 'person',
  teachers: 'person',
  projects: 'project',
  participants: 'number',
  // Numbers within what stands before them in the path.
  messages: 'plain',
  files: 'plain',
  // A ticket or a token: whoever has it is its person, wherever they come from.
  stream: 'plain',
}

/** By the name of a field; a path before it where the same name means several things. */
const BY_FIELD: Readonly<Record<string, Slot['kind']>> = {
  room: 'chat',
  lesson_id: 'lesson',
  course_id: 'course',
  course: 'course',
  video_id: 'video',
  project_id: 'project',
  user_id: 'number',
  sender_id: 'number',
  receiver_id: 'number',
  staff_id: 'person',
  student_id: 'person',
  teacher_id: 'person',
  teacher_ids: 'person',
  teacher: 'person',
  staff: 'person',
  visitor: 'person',
  org_id: 'org',
  email: 'email',
  'check-in code': 'checkInCode',
  'join_lesson code': 'lessonCode',
}

/** What is no id, wherever it stands. */
const PLAIN = new Set([
  ...[
    'limit',
    'order',
    'before',
    'after',
    'at',
    'from',
    'to',
    'min_rate',
    'marks', // students of the session's course, one by one: the matrix asks for one mark, too
    'state',
    'role',
    'format',
    'client_id',
    'again',
    'content',
    'severity_level',
  ],
  ...['speed', 'progress', 'timestamp', 'message', 'file_name', 'file_base64', 'title', 'starts_at', 'planned_minutes'],
  ...['check_in_mode', 'late_after_minutes', 'status', 'reason', 'password', 'visitor_secret', 'name', 'full_name'],
  ...[
    'display_name',
    'current_password',
    'disabled',
    'duration_seconds',
    'rating',
    'comment',
    'pass_score',
    'questions',
  ],
  'answers',
])

/** The ids in a path, in order. */
export function slotsOfPath(path: string): readonly Slot[] {
  const segments = path.split('/')
  return segments.flatMap((segment, i) => {
    const name = /^\{(.+)\}$/.exec(segment)?.[1]
    if (name === undefined) return []
    const kind = BY_SEGMENT[segments[i - 1] ?? '']
    if (kind === undefined) throw unknown(`{${name}} of ${path}`, 'BY_SEGMENT')
    return [{ name, kind }]
  })
}

/** What a field means, in a query, a body or an event. `of`: the last word of the path, or the event's name. */
export function slotOfField(name: string, of: string): Slot {
  const kind = BY_FIELD[`${of} ${name}`] ?? BY_FIELD[name] ?? (PLAIN.has(name) ? 'plain' : undefined)
  if (kind === undefined) throw unknown(`"${name}" of ${of}`, 'BY_FIELD or PLAIN')
  return { name, kind }
}

const unknown = (what: string, table: string): Error =>
  new Error(`the matrix of the walls does not know what ${what} is an id of: say so in ${table} of test/walls/kinds.ts`)

/** A value of this schema that is taken: `exampleOf` of the server knows no formats. */
export function validOf(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>, name = ''): unknown {
  const of = (one: JsonSchema, key = name): unknown => validOf(one, schemas, key)
  if (schema.$ref !== undefined) return of(schemas[schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1)] ?? {})
  if (schema.enum) return schema.enum[0]
  const [first] = schema.anyOf ?? schema.allOf ?? []
  // Of an object that may have one set of fields or another: the first.
  if (first?.required && schema.properties) return of({ ...schema, anyOf: [], required: first.required })
  if (first) return of(first)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object': {
      const all = Object.entries(schema.properties ?? {})
      // A change of nothing would be refused before anybody looks what it is of.
      const required = schema.required?.length ? all.filter(([key]) => schema.required?.includes(key)) : all.slice(0, 1)
      return Object.fromEntries(required.map(([key, one]) => [key, of(one, key)]))
    }
    case 'array':
      return Array.from({ length: Number(schema.minItems ?? 1) }, () => of(schema.items ?? {}))
    case 'integer':
    case 'number':
      return name === 'answer' || name === 'answers' ? 0 : Math.max(1, schema.minimum ?? 1)
    case 'boolean':
      return false
    case 'string':
      return textOf(schema)
    default:
      return { text: 'walls' } // of any shape: the content of a message
  }
}

function textOf({ format, pattern, minLength }: JsonSchema): string {
  if (format === 'date-time') return '2030-01-01T00:00:00Z'
  if (format === 'date') return '2030-01-01'
  if (format === 'email') return 'walls@acme.example'
  if (String(pattern).includes('\\d{14}')) return '20300101000000/c0ffee'
  return 'c0ffee'.padEnd(Number(minLength ?? 0), 'x')
}
