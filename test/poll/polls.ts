import { type Recorded, unreachable } from '../../machines/kernel.ts'
import { projectionOf } from '../../projections/projection.ts'
import type { PollEvent } from './machine.ts'

export interface PollRow {
  readonly seq: number
  readonly org: string
  readonly question: string
  readonly state: 'open' | 'closed'
  /** For each option, how many have voted for it. */
  readonly votes: readonly number[]
  readonly options: readonly string[]
}

/** Lists: `all/<org>/<id>`, `open/<id>`. */
export const polls = projectionOf<PollRow, 'poll'>('poll', {
  name: 'polls',
  version: 1,
  fold,
  index: (id, { org, state }) => [`all/${org}/${id}`, ...(state === 'open' ? [`open/${id}`] : [])],
})

function fold(row: PollRow | undefined, { event, revision: seq, stream }: Recorded<PollEvent>): PollRow {
  if (event.type === 'PollOpened') {
    const { org, question, options } = event
    return { seq, org, question, options, state: 'open', votes: options.map(() => 0) }
  }
  if (!row) throw new Error(`${stream} has ${event.type} at revision ${seq} before PollOpened`)
  switch (event.type) {
    case 'VoteCast': {
      const change = (at: number): number => (at === event.option ? 1 : 0) - (at === event.was ? 1 : 0)
      return { ...row, seq, votes: row.votes.map((count, at) => count + change(at)) }
    }
    case 'PollClosed':
      return { ...row, seq, state: 'closed' }
    default:
      return unreachable(event)
  }
}
