import type { OpenAPIHono } from '@hono/zod-openapi'
import type { AccountParts } from '../../gateway/auth/accounts.ts'
import type { HttpEnv } from '../../gateway/http/middleware.ts'
import { accountChanges } from './changes.ts'
import type { PeopleList } from './list.ts'
import { type LoginRoutesParts, loginRoutes } from './login.ts'
import { userRoutes } from './users.ts'

export interface AccountRoutesParts extends AccountParts, Pick<LoginRoutesParts, 'sign' | 'logins'> {
  readonly people: PeopleList
}

/** `/api/v1/auth` and `/api/v1/users`. */
export function accountRoutes(app: OpenAPIHono<HttpEnv>, parts: AccountRoutesParts): void {
  loginRoutes(app, parts)
  userRoutes(app, parts)
  accountChanges(app, { ...parts, opensAccounts: parts.sign !== null })
}
