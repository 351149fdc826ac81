import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Node } from './delivery/contract.ts'
import { type Authenticator, authenticator } from './gateway/auth/authenticator.ts'
import { type Keys, openKeys } from './gateway/auth/keys.ts'
import { admitting, type Organisations, openOrganisations } from './gateway/auth/organisations.ts'
import type { Logger } from './observe/logger.ts'
import type { StrangersTold } from './observe/strangers-told.ts'

export interface DoorOptions extends Pick<Node, 'entities' | 'views'> {
  readonly config: Config
  readonly clock: Clock
  readonly logger: Logger
  readonly strangers: StrangersTold
  readonly onError: (error: unknown) => void
}

export interface Doorkeepers {
  readonly keys: Keys
  readonly auth: Authenticator
  readonly organisations: Organisations
}

/** Whose tokens are good, and of which organisations somebody may be. */
export async function openDoor(options: DoorOptions): Promise<Doorkeepers> {
  const { config, clock, logger, entities, views, strangers, onError } = options
  const { now } = clock
  const keys = await openKeys(config.keys, (failure) => {
    if (failure !== null) logger.warn({ err: failure }, 'the identity provider did not give its keys; asking again')
  })
  if (keys.kind === 'provider') keys.provider.start()
  const organisations = openOrganisations({
    ...{ letIn: config.organisations, entities, views, now, onUnknown: strangers.organisation, onError },
  })
  const tokens = authenticator({ keys, issuer: config.jwtIssuer, audience: config.jwtAudience, now })
  return { keys, organisations, auth: admitting(tokens, organisations) }
}
