import type { ChatCommand } from '../../../machines/chat/commands.ts'
import type { ChatRow } from '../../../projections/chats.ts'
import type { Config } from '../../config.ts'
import type { LiveModel } from '../../delivery/live-model.ts'
import { unclaimedIn } from './chats-model.ts'

/** What may wait in a visitor's chat, as the queue of their organisation stands. */
export type QueueRoom = (org: string, type: 'OpenChat' | 'Write') => Pick<Writing, 'mayWait'>

type Writing = Extract<ChatCommand, { readonly type: 'OpenChat' | 'Write' }>

/** A short question: it comes in however much others have put into the queue. */
const ALWAYS_BYTES = 4 * 1024

/**
 * Bounds what waits in the queue of one organisation. It goes by what this node has heard: several nodes, and calls
 * that are under way, may let a little more in, and nobody has to agree.
 */
export const queueRoom =
  (
    chats: Pick<LiveModel<ChatRow>, 'list' | 'weightOf'>,
    { queueChats, queueBytes }: Pick<Config, 'queueChats' | 'queueBytes'>,
  ): QueueRoom =>
  (org, type) => {
    const queue = unclaimedIn(org)
    if (type === 'OpenChat' && chats.list(queue).size >= queueChats) return { mayWait: 0 }
    return chats.weightOf(queue) < queueBytes ? {} : { mayWait: ALWAYS_BYTES }
  }
