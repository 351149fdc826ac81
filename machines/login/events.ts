import type { EventSchema } from '../kernel.ts'

/** Stream `login-<hash of the normalised e-mail>`: the organisations in which that e-mail may have an account. */
export type LoginEvent = {
  readonly type: 'LoginAdded'
  readonly org: string
  readonly person: string
  readonly at: number
}

export const loginEvents: Readonly<Record<LoginEvent['type'], EventSchema>> = {
  LoginAdded: { version: 1, personal: [], upcasts: {} },
}
