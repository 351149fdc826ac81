import type { Event } from '../../machines/kernel.ts'

/** The state after an event; the very same one when no transition takes the event, as XState has it. */
export type Step<S> = (state: S, event: Event) => S

/** What the table needs of a machine of XState. */
export interface TabledMachine<S> {
  readonly config: object
  readonly implementations: { readonly actions: object }
  resolveState(config: { readonly value: string; readonly context: object }): S
}

/**
 * The transitions of a machine as a table by state and event, made from the machine's own definition: what XState's
 * `transition` comes to for machines that are flat, have no guards, and only assign (docs/decisions/0044). Undefined
 * for any other machine, and for one that uses what is not known here.
 */
export function transitionTable<S extends { readonly value: unknown; readonly context: unknown }>(
  machine: TabledMachine<S>,
): Step<S> | undefined {
  const { states, ...rest } = machine.config as Definition
  if (!states || !onlyHas(rest, ['id', 'context', 'initial', 'schemas'])) return undefined
  const actions = machine.implementations.actions as Readonly<Record<string, unknown>>
  const table = new Map<string, ReadonlyMap<string, Transition>>()
  for (const [name, node] of Object.entries(states)) {
    const row = onlyHas(node, ['on']) ? rowOf(node.on ?? {}, actions) : undefined
    if (!row) return undefined
    table.set(name, row)
  }
  if ([...table.values()].some((row) => [...row.values()].some(({ target }) => target && !table.has(target))))
    return undefined
  // XState's own snapshot of each state, to be given a context.
  const templates = new Map([...table.keys()].map((value) => [value, machine.resolveState({ value, context: {} })]))

  return (state, event) => {
    const transition = table.get(state.value as string)?.get(event.type)
    if (!transition) return state
    // XState takes that for no change.
    if (transition.target === state.value && transition.assigns.length === 0) return state
    let context: unknown = state.context
    for (const assign of transition.assigns) context = assign(context, event)
    if (transition.target === undefined) return { ...state, context }
    return { ...(templates.get(transition.target) ?? state), context }
  }
}

interface Transition {
  readonly target: string | undefined
  readonly assigns: readonly Assign[]
}

type Assign = (context: unknown, event: Event) => unknown

/** As it stands in the definition, of which only a part is known here. */
interface Definition {
  readonly states?: Readonly<Record<string, { readonly on?: Readonly<Record<string, unknown>> }>>
}

function rowOf(
  on: Readonly<Record<string, unknown>>,
  actions: Readonly<Record<string, unknown>>,
): ReadonlyMap<string, Transition> | undefined {
  const row = new Map<string, Transition>()
  for (const [type, defined] of Object.entries(on)) {
    const transition = type.includes('*') ? undefined : transitionOf(defined, actions)
    if (!transition) return undefined
    row.set(type, transition)
  }
  return row
}

function transitionOf(defined: unknown, actions: Readonly<Record<string, unknown>>): Transition | undefined {
  if (typeof defined === 'string') return { target: defined, assigns: [] }
  if (!isObject(defined) || !onlyHas(defined, ['target', 'actions'])) return undefined
  const { target, actions: named = [] } = defined
  if (target !== undefined && typeof target !== 'string') return undefined
  const assigns = (Array.isArray(named) ? named : [named]).map((action) => assignOf(action, actions))
  if (target === undefined && assigns.length === 0) return undefined
  return assigns.every((assign) => assign !== undefined) ? { target, assigns } : undefined
}

/** What a named action makes of the context; undefined when it is anything but a plain `assign`. */
function assignOf(action: unknown, actions: Readonly<Record<string, unknown>>): Assign | undefined {
  const { type, params } = isObject(action) ? action : { type: action, params: undefined }
  const implementation = typeof type === 'string' ? actions[type] : undefined
  if (typeof implementation !== 'function' || !('assignment' in implementation)) return undefined
  const { assignment } = implementation as { readonly assignment: unknown }
  const paramsOf = (args: Args): unknown => (typeof params === 'function' ? (params as Resolver)(args) : params)
  if (typeof assignment === 'function') {
    return (context, event) => {
      const args = { context, event }
      return Object.assign({}, context, (assignment as Assigner)(args, paramsOf(args)))
    }
  }
  if (!isObject(assignment)) return undefined
  const fields = Object.entries(assignment)
  return (context, event) => {
    const args = { context, event }
    const given = paramsOf(args)
    const changed: Record<string, unknown> = {}
    for (const [field, value] of fields)
      changed[field] = typeof value === 'function' ? (value as Assigner)(args, given) : value
    return Object.assign({}, context, changed)
  }
}

interface Args {
  readonly context: unknown
  readonly event: Event
}

type Resolver = (args: Args) => unknown
type Assigner = (args: Args, params: unknown) => unknown

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const onlyHas = (object: object, known: readonly string[]): boolean =>
  Object.keys(object).every((key) => known.includes(key))
