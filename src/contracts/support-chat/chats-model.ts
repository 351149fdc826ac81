import type { ChatEvent } from '../../../machines/chat/events.ts'
import type { Recorded } from '../../../machines/kernel.ts'
import { personName } from '../../../machines/stream.ts'
import { type ChatRow, liveChats, wholeChats } from '../../../projections/chats.ts'
import { LiveModel } from '../../delivery/live-model.ts'
import { type FoldHistory, foldHistory } from '../../log/fold-history.ts'
import type { Log } from '../../log/log.ts'

/** Open chats of the organisation that nobody serves. */
export const unclaimedIn = (org: string): string => `unclaimed ${org}`
/** Chats of the organisation with a severity above 0, open or closed. */
export const flaggedIn = (org: string): string => `flagged ${org}`
/** Those among them that have ended: the newest stay, of which some are shown. */
const endedIn = (org: string): string => `ended ${org}`
const FLAGGED_KEPT = 100

/** The organisation of a list of flagged chats that have ended. */
export const orgOfEnded = (list: string): string => list.slice(endedIn('').length)

/** So few are left that those may be shown soon which were let go of. */
export const isShort = (chats: Pick<LiveModel<ChatRow>, 'list'>, org: string): boolean =>
  chats.list(endedIn(org)).size < FLAGGED_KEPT / 2

/** Reads flagged chats of one organisation, of those that were flagged last. */
export const newestFlagged = (org: string): { readonly from: string; readonly to: string; readonly limit: number } => ({
  from: `flagged/${org}/`,
  to: `flagged/${org}/~`,
  limit: FLAGGED_KEPT,
})

/** Open chats of one person, as a visitor or as the one who serves. */
export const openChatsOf = (org: string, id: string): string => `of ${personName({ org, id })}`

/** A node that is the first of a new release starts from rows that know less. */
const isOfOlderRelease = ({ asked }: ChatRow): boolean => asked === undefined

const isOpen = ({ status }: ChatRow): boolean => status !== 'closed'
const isEnded = (row: ChatRow): boolean => !isOpen(row) && row.severity > 0

/** Whoever comes to serve is told what was said, and so is the queue: but the row of a new chat may have all of it. */
function needsTranscript({ type }: ChatEvent, { messages, waiting }: ChatRow): boolean {
  if (type === 'ChatClaimed' || type === 'ChatAssigned') return waiting?.length !== messages
  return type === 'ChatTakenOver' || type === 'ChatTransferred' || type === 'ChatReturned'
}

/** What chats were like, for models that begin late in them. */
export const chatHistory = (log: Log): FoldHistory<ChatRow> =>
  foldHistory({
    log,
    fold: wholeChats.fold,
    weigh: ({ said, servedBy }) => servedBy.length + kibOf(said?.all.sum.characters ?? 0),
    weighEvent,
  })

/** In KiB, like all that is remembered of the past. */
export const weighEvent = ({ event }: Recorded): number => kibOf((event as { readonly bytes?: number }).bytes ?? 0)

const kibOf = (bytes: number): number => Math.ceil(bytes / 1024)

export interface ChatsModelOptions {
  readonly history?: FoldHistory<ChatRow>
  /** Few flagged chats that have ended are in this list, and perhaps there are more. Default: nobody looks. */
  readonly onShort?: (list: string) => void
}

/** Open chats and flagged ones, by room; of those that have ended the newest of each organisation. */
export const chatsModel = (log: Log, { history, onShort = () => {} }: ChatsModelOptions = {}): LiveModel<ChatRow> =>
  new LiveModel(log, {
    category: 'chat',
    projection: liveChats,
    whole: wholeChats,
    history,
    needsWhole: ({ event }, row) => needsTranscript(event as ChatEvent, row), // chats record no other events
    isPartial: (row) => row.status === 'unclaimed' || isOfOlderRelease(row),
    keeps: (row) => isOpen(row) || row.severity > 0,
    lists: (_, row) => [
      ...(row.status === 'unclaimed' ? [unclaimedIn(row.org)] : []),
      ...(row.severity > 0 ? [flaggedIn(row.org)] : []),
      ...(isEnded(row) ? [endedIn(row.org)] : []),
      ...(isOpen(row)
        ? [row.visitorId, row.staffId].flatMap((id) => (id === null ? [] : [openChatsOf(row.org, id)]))
        : []),
    ],
    isListedAlike: (before, after) =>
      before.status === after.status && before.staffId === after.staffId && before.severity > 0 === after.severity > 0,
    weigh: ({ waitingWeight = 0 }) => waitingWeight,
    seeds: ['open/', { each: 'flagged/', newest: FLAGGED_KEPT }],
    past: {
      list: (row) => (isEnded(row) ? endedIn(row.org) : null),
      place: ({ flaggedAt }) => flaggedAt ?? '',
      most: FLAGGED_KEPT,
      onShort,
    },
    unknown: 'load',
  })
