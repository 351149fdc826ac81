const started = performance.now()
const WIDTH = 12

export const print = (text: string): void => void process.stdout.write(`${text}\n`)

export const title = (text: string): void => print(`\n── ${text} ${'─'.repeat(Math.max(2, 88 - text.length))}`)

/** One line: seconds since the start, who, what. */
export const say = (who: string, what: string): void =>
  print(`${((performance.now() - started) / 1000).toFixed(2).padStart(6)}  ${who.padEnd(WIDTH)} ${what}`)

interface Named {
  readonly name?: string | null
  readonly full_name?: string | null
  readonly display_name?: string | null
}

const nameOf = (who: Named | undefined): string =>
  who?.display_name ?? who?.full_name ?? who?.name ?? 'an anonymous visitor'

/**
 * What a push says, in words. Pushes are JSON of many shapes; every field that is read here is one that the contract
 * promises.
 */
// biome-ignore lint/suspicious/noExplicitAny: see above
const WORDS: Readonly<Record<string, (data: any) => string>> = {
  staff_init: (d) =>
    `on arrival: ${d.online_users.length} staff and ${d.online_visitors.length} visitors here, ` +
    `${d.unclaimed_chats.length} waiting, ${d.flagged_chats.length} flagged`,
  append_unclaimed_chats: (d) => `${nameOf(d.user)} waits: ${text(d.contents[0])}`,
  visitor_unclaimed_msg: (d) => `${nameOf(d.user)}, still waiting: ${text(d.content)}`,
  visitor_leave_queue: (d) => `${nameOf(d.user)} left the queue`,
  staff_claim_chat: (d) => `${nameOf(d.staff)} has taken ${nameOf(d.user)} from the queue`,
  staff_join_room: (d) => `${nameOf(d.user)} is here for you`,
  agent_new_chat: (d) => `${nameOf(d.user)} serves ${nameOf(d.visitor)} (${d.contents.length} messages so far)`,
  visitor_send: (d) => `${nameOf(d.user)}: ${text(d.content)}`,
  new_visitor_msg_for_supervisor: (d) => `(looking on) ${nameOf(d.user)}: ${text(d.content)}`,
  staff_send: (d) => `${nameOf(d.user)}: ${text(d.content)}`,
  new_staff_msg_for_supervisor: (d) => `(looking on) ${nameOf(d.user)}: ${text(d.content)}`,
  staff_being_taken_over_chat: (d) => `${nameOf(d.user)} takes this chat over`,
  staff_take_over_chat: (d) => `${nameOf(d.user)} has taken a chat over`,
  chat_has_changed_priority_for_supervisor: (d) =>
    `${nameOf(d.user)} flags ${nameOf(d.visitor)}’s chat with severity ${d.room.severity_level}; ` +
    `flagged now: ${d.flagged_chats.length}`,
  visitor_leave: (d) => `${nameOf(d.user)} left`,
  visitor_leave_chat_for_supervisor: (d) => `${nameOf(d.user)} left their chat`,
  staff_goes_online: (d) => `${nameOf(d.user)} is here`,
  visitor_goes_online: (d) => `${nameOf(d.user)} is on the page`,
  connected: (d) => d.status,
  joined_course: (d) => d.status,
  joined_video: (d) => d.status,
  new_enrollment: (d) => d.message,
  user_joined_video: (d) => `${d.user_email} is here`,
  student_progress: (d) => `is at ${d.timestamp} s, ${d.progress} %`,
  progress_update: (d) => `has watched ${d.watched_seconds} s, ${d.percent_complete} %`,
  new_chat_message: (d) => `${d.user_email}: “${d.message}”`,
  quiz_submission: (d) => `${d.score} percent right, ${d.passed ? 'passed' : 'failed'}`,
  joined_project: () => 'hears what is said',
  receive_message: (d) =>
    `${d.sender.username}${d.receiver ? ` to ${d.receiver.username}` : ''}: “${d.content ?? ''}”` +
    (d.file_name ? ` with ${d.file_name}` : ''),
  action_project: (d) => d.message,
  new_review: (d) => `${d.user_email}, ${d.rating} of 5: “${d.comment}”`,
}

/** Every name that has words. */
export const NAMES: readonly string[] = Object.keys(WORDS)

export const wordsFor = (name: string, data: unknown): string => `◂ ${name.padEnd(25)} ${WORDS[name]?.(data) ?? ''}`

const text = (content: { readonly text?: unknown } | undefined): string => `“${String(content?.text ?? '')}”`
