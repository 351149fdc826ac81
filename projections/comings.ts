import type { Recorded } from '../machines/kernel.ts'
import type { PresenceEvent } from '../machines/presence/events.ts'
import { padded } from './padded.ts'
import { projectionOf, type Row } from './projection.ts'

/** When somebody last came or went, which is what others are told of their presence. */
export interface ComingRow extends Row {
  /** Position of that event, so padded that text order is log order; of an older history: that of its first event. */
  readonly movedAt: string
}

/** Key `<org>.<id>`. List: `moved/<org>/<movedAt>/<id>`, who came or went last. */
export const comings = projectionOf<ComingRow, 'presence'>('presence', {
  name: 'comings',
  version: 1,
  fold,
  index: (person, { movedAt }) => [`moved/${person.replace('.', `/${movedAt}/`)}`],
})

function fold(row: ComingRow | undefined, { event, revision: seq, position }: Recorded<PresenceEvent>): ComingRow {
  const isMove = event.type === 'CameOnline' || event.type === 'WentOffline'
  return { seq, movedAt: isMove || !row ? padded(position) : row.movedAt }
}
