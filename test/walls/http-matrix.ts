import { randomBytes } from 'node:crypto'
import { exactly } from './exactly.ts'
import { CALLERS, type Caller, differenceOf, leakIn, pairsOf, Tally, type Verdict } from './matrix.ts'
import type { Organisation } from './organisation.ts'
import { type OpenApi, type Route, requestOf, routesOf } from './routes.ts'
import { type Asked, type Heard, wire } from './wire.ts'

interface HttpMatrixOptions {
  readonly url: string
  readonly own: Organisation
  readonly other: Organisation
  /** With strange ids in every text, odd parameters of the query, and methods that the routes do not have. */
  readonly isWhole: boolean
}

/** Log-ins hash, and after five that were wrong each waits: of those few are enough. */
const isCostly = ({ path }: Route): boolean => path.endsWith('/auth/login')

/** Every route, for everybody, with every mix of ids. Reads come first: they find the organisations as they were. */
export async function httpMatrix({ url, own, other, isWhole }: HttpMatrixOptions): Promise<Verdict> {
  const { ask, close } = wire(url, 32)
  const routes = routesOf((await (await fetch(`${url}/api/v1/openapi.json`)).json()) as OpenApi)
  const tally = new Tally()
  const tokens: Readonly<Record<Caller, string | undefined>> = {
    ...own.tokens,
    anonymous: `participant.${randomBytes(32).toString('base64url')}`,
    none: undefined,
  }

  /** One answer of any kind: what holds for all of them. */
  const heard = async (what: string, asked: Asked, sent = {}): Promise<Heard | null> => {
    tally.cells++
    try {
      const answer = await ask(asked)
      const text = `${answer.body}${JSON.stringify(answer.headers)}`
      if (answer.status >= 500) tally.blame(`${what}: ${answer.status} ${answer.body.slice(0, 200)}`)
      const leak = leakIn(text, other, sent)
      if (leak !== null) tally.blame(`${what}: ${leak}`)
      return answer
    } catch (error) {
      tally.blame(`${what}: ${error instanceof Error ? `${error.message}: ${error.cause}` : error}`)
      return null
    }
  }

  const compared = async (route: Route, caller: Caller, more: Readonly<Record<string, string>>): Promise<void> => {
    for (const pair of pairsOf(route.slots, own, other, isWhole && !isCostly(route))) {
      const what = `${caller}: ${route.method} ${route.path} with ${pair.whose.join(', ')} ${new URLSearchParams(more)}`
      const token = tokens[caller]
      const [foreign, missing] = await Promise.all([
        heard(what, { ...requestOf(route, pair.foreign, more), token }, pair.foreign),
        heard(what, { ...requestOf(route, pair.missing, more), token }, pair.missing),
      ])
      if (!foreign || !missing) continue
      const difference = differenceOf(exactly(foreign), exactly(missing), pair, other)
      if (difference !== null) tally.differs(`${route.method} ${route.path}`, `${what}: ${difference}`)
    }
  }

  const callersOf = (route: Route): readonly Caller[] =>
    isCostly(route) ? ['none'] : route.isOpen ? ['none', 'admin'] : CALLERS

  /** Of each caller one after another, so that both questions of a pair find the same things done before them. */
  const all = async (route: Route, more = {}): Promise<void> => {
    for (const caller of callersOf(route)) await compared(route, caller, more)
  }

  const reads = routes.filter(({ method }) => method === 'GET')
  // What takes something away comes last, the whole after its parts.
  const writes = [
    ...routes.filter(({ method }) => method !== 'GET' && method !== 'DELETE'),
    ...routes.filter(({ method }) => method === 'DELETE').sort((a, b) => b.path.length - a.path.length),
  ]
  await Promise.all(reads.map((route) => all(route)))
  await Promise.all(reads.flatMap((route) => CALLERS.map((caller) => ownRead(route, caller))))
  if (isWhole)
    await Promise.all(reads.flatMap((route) => route.plain.map(({ name, value }) => all(route, { [name]: value }))))
  for (const route of writes) await all(route)
  if (isWhole) for (const route of writes.filter((one) => !isCostly(one))) await everywhere(route)
  if (isWhole) await Promise.all([...new Set(routes.map(({ path }) => path))].map(otherMethods))
  close()
  return tally.verdict()

  /** What is one's own is read, too: nothing of others stands in it. */
  async function ownRead(route: Route, caller: Caller): Promise<void> {
    const values = Object.fromEntries(
      route.slots.map(({ name, kind, optional }) => [
        name,
        kind === 'plain' ? 1 : optional ? undefined : own.ids[kind][0],
      ]),
    )
    await heard(`${caller}: ${route.path}`, { ...requestOf(route, values), token: tokens[caller] }, values)
  }

  /** A strange id of every kind in every text of the body, with the asker's own ids in the path. */
  async function everywhere(route: Route): Promise<void> {
    for (const text of route.texts)
      for (const caller of callersOf(route))
        for (const [kind, [id]] of Object.entries(other.ids)) {
          const values = Object.fromEntries(
            route.slots.map(({ name, kind, optional }) => [
              name,
              kind === 'plain' ? 1 : optional ? undefined : own.ids[kind][0],
            ]),
          )
          const { body, ...asked } = requestOf(route, values)
          const filled = { ...(body as object), [text]: String(id) }
          const token = tokens[caller]
          tally.cells++
          const { status } = await ask({ ...asked, body: filled, token })
          if (status >= 500)
            tally.blame(`${caller}: ${route.method} ${route.path} with a ${kind} as ${text}: ${status}`)
        }
  }

  async function otherMethods(path: string): Promise<void> {
    const known = routes.filter((route) => route.path === path).map(({ method }) => method)
    const slots = routes.find((route) => route.path === path)?.slots.filter((slot) => slot.in === 'path') ?? []
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
      (one) => !known.includes(one),
    ))
      for (const caller of CALLERS) {
        const route = { method, path, slots, plain: [], body: undefined, texts: [], isOpen: false }
        if (slots.some(({ kind }) => kind !== 'plain')) await compared(route, caller, {})
      }
  }
}
