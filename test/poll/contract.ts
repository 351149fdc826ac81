import { z } from 'zod'
import { type Party, refuse } from '../../machines/kernel.ts'
import { streamName } from '../../machines/stream.ts'
import type { Connection, InboundRow, Outcome } from '../../src/delivery/connection.ts'
import type { Contract } from '../../src/delivery/contract.ts'
import { latestPace } from '../../src/delivery/latest-pace.ts'
import { LiveModel } from '../../src/delivery/live-model.ts'
import { type EventRef, eventRef } from '../../src/delivery/notice.ts'
import { foldStream } from '../../src/log/fold-stream.ts'
import type { Log } from '../../src/log/log.ts'
import { derivedId } from '../../src/runtime/ids.ts'
import type { PollCommand } from './decide.ts'
import { pollNotices, pollRoom, pollShapes, pollState } from './notices.ts'
import { type PollRow, polls } from './polls.ts'

/** How a poll stands that nobody has heard of on this node, from the log. */
async function standsAt(log: Log, id: string): Promise<{ readonly row: PollRow; readonly ref: EventRef }> {
  const folded = await foldStream<PollRow>(log, streamName('poll', id), polls.fold)
  if (!folded) throw new Error(`poll ${id} admits people and has no events`)
  return { row: folded.state, ref: eventRef(folded.last) }
}

/** A contract that no release serves: opened, voted on, closed, watched live. It shows what a new one costs. */
export const poll: Contract = {
  name: 'poll',
  namespace: '/',
  views: [polls],
  wire: pollShapes,
  refusals: {
    'teachers-only': [403, 'only teachers open polls'],
    'poll-exists': [409, 'there is a poll with this id already'],
    'no-such-poll': [404, 'there is no poll with this id'],
    'poll-closed': [409, 'this poll has ended'],
    'no-such-option': [400, 'this poll has no such option'],
    'own-poll-only': [403, 'only who opened the poll closes it'],
  },
  open({ log, entities, outlet, clock, subscriptionsTo }) {
    const live = new LiveModel<PollRow>(log, {
      category: 'poll',
      projection: polls,
      keeps: () => true,
      lists: (id) => [id],
      seeds: ['all/'],
      unknown: 'load',
      refs: true,
    })
    const watching = subscriptionsTo({
      name: 'poll',
      rooms: (id) => [pollRoom(id)],
      category: 'poll',
      async admits(id, { org }) {
        const { revision, state } = await entities.state('poll', id)
        return revision >= 0 && state.context.org === org ? revision : refuse('no-such-poll')
      },
      async opening(id) {
        const past = await standsAt(log, id)
        return () => {
          const [row, ref] = [live.get(id), live.newest(id)]
          return { name: 'poll_state', data: row && ref ? pollState(id, row, ref) : pollState(id, past.row, past.ref) }
        }
      },
      takesOut: () => null,
      farewell: () => ({ name: 'poll_state', data: {} }),
    })

    const asking =
      <Shape extends z.ZodType>(
        shape: Shape,
        idOf: (data: z.output<Shape>, by: Party) => string,
        commandOf: (data: z.output<Shape>, by: Party, at: number) => PollCommand,
      ): InboundRow =>
      ([data], { party: by }, at) => {
        const read = shape.safeParse(data)
        if (!read.success) return refuse('bad-request', { why: z.prettifyError(read.error) })
        const id = idOf(read.data, by)
        return async (entered): Promise<Outcome> => ({
          about: id,
          answer: await entities.ask('poll', id, commandOf(read.data, by, at), { entered }),
        })
      }
    const named = z.object({ poll_id: z.string() })
    const watch =
      (work: (id: string, from: Connection) => Promise<Outcome>): InboundRow =>
      ([data], from) => {
        const read = named.safeParse(data)
        return read.success ? () => work(read.data.poll_id, from) : refuse('bad-request', { why: 'poll_id is missing' })
      }

    const pace = latestPace({ outlet, clock, maxPushes: 10, windowMs: 1_000, latestEveryMs: 50 })
    return {
      feeds: [{ model: live, notices: pollNotices, pace }],
      subscriptions: [watching],
      inbound: {
        about: 'poll_id',
        rows: {
          open_poll: asking(
            z.object({ question: z.string(), options: z.array(z.string()).min(2), name: z.string() }),
            ({ name }, { org, id }) => derivedId(`poll ${org}.${id} ${name}`),
            ({ question, options }, by, at) => ({ type: 'OpenPoll', question, options, by, at }),
          ),
          vote: asking(
            named.extend({ option: z.int().min(0) }),
            ({ poll_id }) => poll_id,
            ({ option }, by, at) => ({ type: 'Vote', option, by, at }),
          ),
          close_poll: asking(
            named,
            ({ poll_id }) => poll_id,
            (_, by, at) => ({ type: 'ClosePoll', by, at }),
          ),
          watch_poll: watch(watching.subscribe),
          unwatch_poll: watch(watching.unsubscribe),
        },
      },
      stop: () => pace.stop(),
    }
  },
}
