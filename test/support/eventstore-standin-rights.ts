import { Metadata, type ServiceError, status, type UntypedServiceImplementation } from '@grpc/grpc-js'
import type { Behaviour } from './eventstore-standin-faults.ts'

/** Somebody whom the server knows. May be changed while it runs: each new call is looked at, none that is under way. */
export interface User {
  password: string
  isDisabled?: boolean
  /** Whether they may read and follow `$all`: by default only admins may. */
  readsAll: boolean
}

/** A call, as far as it says who asks for what. */
interface Asking {
  readonly metadata: Metadata
  readonly request?: { getOptions?(): { hasAll?(): boolean } | undefined }
  emit(event: 'error', error: Partial<ServiceError>): unknown
}
type Answer = (error: Partial<ServiceError>) => void

/** The same calls behind a door: nothing while the server is not ready, and to each what their rights allow. */
export function guarded(behaviour: Behaviour, implementation: UntypedServiceImplementation, open = false) {
  const entries = Object.entries(implementation).map(([name, work]) => {
    const guard = (call: Asking, answer?: Answer): void => {
      const refused = refusalOf(behaviour, call, open)
      if (refused === null) (work as (call: Asking, answer?: Answer) => void)(call, answer)
      else if (answer) answer(refused)
      else call.emit('error', refused)
    }
    return [name, guard] as const
  })
  // The same names, as the definition asks.
  return Object.fromEntries(entries) as unknown as UntypedServiceImplementation
}

/** `open`: everybody may ask, as they may ask a real cluster for its members. */
function refusalOf({ isReady, users }: Behaviour, call: Asking, open: boolean): Partial<ServiceError> | null {
  if (!isReady) return { code: status.UNAVAILABLE, details: 'Server Is Not Ready' }
  if (users === null || open) return null
  const named = /^Basic (.*)$/.exec(String(call.metadata.get('authorization')[0] ?? ''))?.[1]
  const wantsAll = call.request?.getOptions?.()?.hasAll?.() === true
  if (named === undefined) return wantsAll ? accessDenied() : null
  const [name = '', ...password] = Buffer.from(named, 'base64').toString('utf8').split(':')
  const user = users.get(name)
  if (user === undefined || user.isDisabled || user.password !== password.join(':'))
    return { code: status.UNAUTHENTICATED, details: 'Received HTTP status code 401' }
  return wantsAll && !user.readsAll ? accessDenied() : null
}

function accessDenied(): Partial<ServiceError> {
  const metadata = new Metadata()
  metadata.set('exception', 'access-denied')
  return { code: status.PERMISSION_DENIED, details: 'Access Denied', metadata }
}
