import { isOrigin } from '../config-forms.ts'
import { sparingly } from '../sparingly.ts'
import type { Logger } from './logger.ts'

/** Tells the operator what clients do that would work if something were set, or spelt, otherwise. */
export interface StrangersTold {
  /** Its page was refused. */
  origin(origin: string): void
  /** A visitor of it was refused. */
  organisation(org: string): void
  /** Nobody listens to it. */
  event(name: string): void
}

const MINUTE_MS = 60_000
/** Whoever reads the log once an hour finds it there. */
const HOUR_MS = 60 * MINUTE_MS
const MOST_NAMES = 100
const MAX_CHARACTERS = 100

/** Anybody may send what is told here: each thing is told once in a while, and not more than a hundred of them. */
export function strangersTold(
  logger: Pick<Logger, 'warn'>,
  elapsed: () => number = () => performance.now(),
): StrangersTold {
  const origins = sparingly({ everyMs: HOUR_MS, most: MOST_NAMES, elapsed })
  const organisations = sparingly({ everyMs: HOUR_MS, most: MOST_NAMES, elapsed })
  const events = sparingly({ everyMs: MINUTE_MS, most: MOST_NAMES, elapsed })
  return {
    origin(text) {
      const origin = text.slice(0, MAX_CHARACTERS)
      origins(origin, (othersGoUnsaid) =>
        logger.warn({ origin, ...(othersGoUnsaid && OTHERS) }, `a page was refused: ${adviceFor(origin)}`),
      )
    },
    organisation(org) {
      organisations(org, (othersGoUnsaid) =>
        logger.warn(
          { org, ...(othersGoUnsaid && OTHERS) },
          'a visitor of an organisation that nobody has opened was refused: if it is one of yours, ' +
            `lyceum org create ${org}`,
        ),
      )
    },
    event(text) {
      const event = text.slice(0, MAX_CHARACTERS)
      events(event, (othersGoUnsaid) =>
        logger.warn(
          { event, ...(othersGoUnsaid && OTHERS) },
          'a client emits an event that nobody listens to: /api/v1/asyncapi.json has the names that are known',
        ),
      )
    },
  }
}

const OTHERS = { others: 'there are more, which are not told for now' }

const adviceFor = (origin: string): string =>
  isOrigin(origin)
    ? `if it is one of yours, add ${origin} to ALLOWED_ORIGINS (a comma-separated list)`
    : 'its origin cannot be listed, for it has no name: serve the page by http or https (or set ALLOWED_ORIGINS=*)'
