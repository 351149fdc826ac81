import { assign, type SnapshotFrom, setup } from 'xstate'
import type { VideoEvent } from './events.ts'

interface VideoContext {
  readonly org: string
  readonly courseId: string
  readonly title: string
  readonly durationSeconds: number | null
  readonly createdAt: number
  /** How many there ever were. */
  readonly remarks: number
  /** Revisions of the remarks that were removed, in the order of their removal. */
  readonly removed: readonly number[]
}

/** new -> open. */
export const videoMachine = setup({
  types: { context: {} as VideoContext, events: {} as VideoEvent },
  actions: {
    add: assign((_, event: Extract<VideoEvent, { type: 'VideoAdded' }>) => ({
      org: event.org,
      courseId: event.courseId,
      title: event.title,
      durationSeconds: event.durationSeconds,
      createdAt: event.at,
    })),
    remark: assign({ remarks: ({ context }) => context.remarks + 1 }),
    remove: assign({
      removed: ({ context }, { seq }: { seq: number }): readonly number[] => [...context.removed, seq],
    }),
  },
}).createMachine({
  id: 'video',
  context: { org: '', courseId: '', title: '', durationSeconds: null, createdAt: 0, remarks: 0, removed: [] },
  initial: 'new',
  states: {
    new: { on: { VideoAdded: { target: 'open', actions: { type: 'add', params: ({ event }) => event } } } },
    open: {
      on: {
        RemarkMade: { actions: 'remark' },
        RemarkRemoved: { actions: { type: 'remove', params: ({ event }) => event } },
      },
    },
  },
})

export type VideoState = SnapshotFrom<typeof videoMachine>
