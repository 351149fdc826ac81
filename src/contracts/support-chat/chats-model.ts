import type { ChatEvent } from '../../../machines/chat/events.ts'
import { personName } from '../../../machines/stream.ts'
import { type ChatRow, chats, wholeChats } from '../../../projections/chats.ts'
import { LiveModel } from '../../delivery/live-model.ts'
import { type FoldHistory, foldHistory } from '../../log/fold-history.ts'
import type { Log } from '../../log/log.ts'

/** Open chats of the organisation that nobody serves. */
export const unclaimedIn = (org: string): string => `unclaimed ${org}`
/** Chats of the organisation with a severity above 0, open or closed. */
export const flaggedIn = (org: string): string => `flagged ${org}`
/** Open chats of one person, as a visitor or as the one who serves. */
export const openChatsOf = (org: string, id: string): string => `of ${personName({ org, id })}`

const isOpen = ({ status }: ChatRow): boolean => status !== 'closed'

/** Whoever comes to serve is told what was said, and so is the queue: but a new chat's row has all of it itself. */
function needsTranscript({ type }: ChatEvent, { servedBy }: ChatRow): boolean {
  if (type === 'ChatClaimed' || type === 'ChatAssigned') return servedBy.length > 0
  return type === 'ChatTakenOver' || type === 'ChatTransferred' || type === 'ChatReturned'
}

/** What chats were like, for models that begin late in them. */
export const chatHistory = (log: Log): FoldHistory<ChatRow> =>
  foldHistory({ log, fold: wholeChats.fold, weigh: ({ waiting, servedBy }) => waiting.length + servedBy.length })

/** Open chats and flagged ones, by room. */
export const chatsModel = (log: Log, history?: FoldHistory<ChatRow>): LiveModel<ChatRow> =>
  new LiveModel(log, {
    category: 'chat',
    projection: chats,
    whole: wholeChats,
    history,
    needsWhole: ({ event }, row) => needsTranscript(event as ChatEvent, row), // chats record no other events
    isPartial: (row) => row.status === 'unclaimed' && row.servedBy.length > 0,
    keeps: (row) => isOpen(row) || row.severity > 0,
    lists: (_, row) => [
      ...(row.status === 'unclaimed' ? [unclaimedIn(row.org)] : []),
      ...(row.severity > 0 ? [flaggedIn(row.org)] : []),
      ...(isOpen(row)
        ? [row.visitorId, row.staffId].flatMap((id) => (id === null ? [] : [openChatsOf(row.org, id)]))
        : []),
    ],
    isListedAlike: (before, after) =>
      before.status === after.status && before.staffId === after.staffId && before.severity > 0 === after.severity > 0,
    seeds: ['open/', 'flagged/'],
    unknown: 'load',
  })
