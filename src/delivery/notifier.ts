import type { Recorded } from '../../machines/kernel.ts'
import { categoryIn, type PersonRef } from '../../machines/stream.ts'
import type { Recorded as Logged } from '../log/log.ts'
import type { Feed, Model, Profiles } from './feed.ts'
import type { Notice } from './notice.ts'
import { type PlacedNotice, placedNotices } from './placed-notice.ts'

// biome-ignore lint/suspicious/noExplicitAny: a feed is called with the changes of its own model only
export type AnyFeed = Feed<any>

export interface NotifierOptions {
  readonly profiles: Profiles
  /** A model or a feed fails: its event is no news there, and all others go on. */
  readonly onError: (error: unknown, recorded: Recorded) => void
}

/** What one feed tells of one event. */
export interface FeedNotices {
  readonly feed: AnyFeed
  readonly change: unknown
  readonly notices: readonly PlacedNotice[]
}

/**
 * Moves models by events and makes what their feeds tell: live by the follower, and again for whoever was away. It is
 * the same code, so that they are told the same.
 */
export interface Notifier {
  /** The feeds of this model tell from now on. */
  add(model: Model<unknown>, feeds: readonly AnyFeed[]): void
  /** The models that an event concerns and that have to `load` before it can move them. */
  missing(recorded: Logged): readonly Model<unknown>[]
  /** Whom the notices of an event will name. To be asked when nothing is missing. */
  people(recorded: Logged): readonly PersonRef[]
  /** Moves the models; with `tells` = false without notices. Without a wait, so that models and notices agree. */
  move(recorded: Logged, tells: boolean): readonly FeedNotices[]
}

const NONE: readonly FeedNotices[] = []
const NO_ROUTES: readonly Route[] = []

export function openNotifier({ profiles, onError }: NotifierOptions): Notifier {
  const routes = new Map<string, readonly Route[]>()
  const routesTo = (category: string): readonly Route[] => routes.get(category) ?? NO_ROUTES
  const routesOf = ({ stream }: Logged): readonly Route[] => routesTo(categoryIn(stream))

  const noticesOf = (feed: AnyFeed, change: unknown, recorded: Recorded): readonly Notice[] => {
    try {
      return feed.notices(change, profiles)
    } catch (error) {
      onError(error, recorded) // a feed that fails must not silence the others
      return []
    }
  }

  return {
    add(model, feeds) {
      const route = { model, feeds: feeds.filter((feed) => feed.model === model) }
      routes.set(model.category, [...routesTo(model.category), route])
    },
    missing: (recorded) => routesOf(recorded).flatMap(({ model }) => (model.isMissing(recorded) ? [model] : [])),
    people(recorded) {
      const people: PersonRef[] = []
      for (const { feeds } of routesOf(recorded)) {
        for (const feed of feeds) {
          if (!feed.people) continue
          const change = feed.model.changeOf(recorded)
          if (change === undefined) continue
          try {
            people.push(...feed.people(change))
          } catch (error) {
            onError(error, recorded) // then nobody is named, but the model has to move
          }
        }
      }
      return people
    },
    move(recorded, tells) {
      let found: { feed: AnyFeed; change: unknown; notices: readonly Notice[] }[] | undefined
      let count = 0
      for (const { model, feeds } of routesOf(recorded)) {
        try {
          const change = model.onEvent(recorded)
          if (change === undefined) continue
          for (const feed of feeds) {
            const notices = tells ? noticesOf(feed, change, recorded) : []
            count += notices.length
            found ??= []
            found.push({ feed, change, notices })
          }
        } catch (error) {
          onError(error, recorded)
        }
      }
      if (!found) return NONE
      let before = 0
      return found.map(({ feed, change, notices }) => {
        const placed = placedNotices(recorded, notices, before, count)
        before += notices.length
        return { feed, change, notices: placed }
      })
    },
  }
}

interface Route {
  readonly model: Model<unknown>
  readonly feeds: readonly AnyFeed[]
}
