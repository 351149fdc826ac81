import { type Party, Refusal } from '../../../machines/kernel.ts'
import type { HowOpened } from '../../../machines/organisation/events.ts'
import { courses } from '../../../projections/courses.ts'
import { lessons } from '../../../projections/lessons.ts'
import { people } from '../../../projections/people.ts'
import { projects } from '../../../projections/projects.ts'
import type { Config } from '../../config.ts'
import { keepNewest } from '../../keep-newest.ts'
import { StreamDamaged } from '../../log/damaged.ts'
import { LogUnavailable } from '../../log/log.ts'
import type { Entities } from '../../runtime/entities.ts'
import { ViewsUnavailable } from '../../views/store.ts'
import { within } from '../../within.ts'
import type { Views } from '../http/pages.ts'
import { type Authenticator, AuthFailure } from './authenticator.ts'

/** Which organisations there are, and whether somebody of one may come in. */
export interface Organisations {
  /** Null: they may. The first who is no visitor opens it. */
  admit(party: Pick<Party, 'org' | 'role'>): Promise<AuthFailure | null>
}

export interface OrganisationsOptions {
  /** Whose visitors are let in: those of every organisation, or of one that was opened. */
  readonly letIn: Config['organisations']
  readonly entities: Pick<Entities, 'ask' | 'judged'>
  readonly views: Pick<Views, 'scan'>
  readonly now: () => number
  /** A visitor was refused. */
  readonly onUnknown: (org: string) => void
  readonly onError: (error: unknown) => void
}

/** Of those known to be open: each is some 100 bytes, and costs a look into its stream when it is not among them. */
const MAX_KNOWN = 10_000
/** Nobody who is no visitor waits longer for their organisation to be recorded: the next one records it. */
const OPENING_MS = 1_000

/** Lists in which an organisation stands that is older than its `OrganisationOpened`. */
export const OLDER: readonly (readonly [view: string, list: string])[] = [
  [people.name, 'users/'],
  [courses.name, 'all/'],
  [lessons.name, 'all/'],
  [projects.name, 'org/'],
]

export function openOrganisations(options: OrganisationsOptions): Organisations {
  const { letIn, entities, views, now, onUnknown, onError } = options
  const known = new Set<string>()
  const opening = new Map<string, Promise<unknown>>()

  const keep = (org: string): void => {
    known.add(org)
    keepNewest(known, MAX_KNOWN)
  }

  const open = async (org: string, how: HowOpened): Promise<void> => {
    const by: Party = { id: 'system', org, role: 'system' }
    try {
      const answer = await entities.ask('organisation', org, {
        type: 'OpenOrganisation',
        how,
        title: null,
        by,
        at: now(),
      })
      if (!(answer instanceof Refusal)) keep(org)
    } catch (error) {
      if (!(error instanceof LogUnavailable)) onError(error)
    }
  }

  /** A class comes at once. */
  const openOnce = (org: string, how: HowOpened): Promise<void> => {
    const underWay = opening.get(org) ?? open(org, how).finally(() => opening.delete(org))
    opening.set(org, underWay)
    return within(OPENING_MS, underWay)
  }

  const isOpen = async (org: string): Promise<boolean> => {
    const judged = await entities.judged('organisation', org, ({ state }) => state.matches('open') || NOT_OPEN)
    return judged === true
  }

  const isOlder = async (org: string): Promise<boolean> => {
    for (const [view, list] of OLDER) {
      const { entries } = await views.scan(view, { from: `${list}${org}/`, to: `${list}${org}0`, limit: 1 })
      if (entries.length > 0) return true
    }
    return false
  }

  return {
    async admit({ org, role }) {
      if (known.has(org)) return null
      if (role !== 'visitor') {
        await openOnce(org, 'token')
        return null
      }
      if (letIn === 'open') return null
      try {
        if (await isOpen(org)) keep(org)
        else if (await isOlder(org)) await openOnce(org, 'known')
        else {
          onUnknown(org)
          return UNKNOWN
        }
      } catch (error) {
        if (error instanceof StreamDamaged) return null // there is something to be damaged
        if (!(error instanceof LogUnavailable || error instanceof ViewsUnavailable)) onError(error)
        return UNCLEAR
      }
      return null
    },
  }
}

/** Looks at whom a token names after it was found good. */
export const admitting = (authenticator: Authenticator, organisations: Organisations): Authenticator => ({
  ...authenticator,
  async verify(token) {
    const identity = await authenticator.verify(token)
    return identity instanceof AuthFailure ? identity : ((await organisations.admit(identity)) ?? identity)
  },
})

const UNKNOWN = new AuthFailure(
  'organisation-unknown',
  'the organisation of this token is not known here: it is opened by its operator (lyceum org create <id>), or by ' +
    'the first of its staff, teachers or students who comes. Is org_id right?',
)
const UNCLEAR = new AuthFailure(
  'organisation-unclear',
  'whether there is this organisation cannot be looked up now: try again',
)
/** Looked at again before it counts. */
const NOT_OPEN = new Refusal('no-such-organisation')
