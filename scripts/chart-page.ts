/** The parts of an XState machine that are drawn; structural, so that drawing needs no XState. */
export interface Drawable {
  readonly config: {
    readonly initial?: unknown
    readonly states?: Readonly<Record<string, { readonly on?: unknown }>> | undefined
  }
}

/** One arrow: what was recorded, and what it does besides. */
interface Arrow {
  readonly from: string
  readonly to: string
  readonly event: string
  readonly actions: readonly string[]
}

/**
 * A page with the machine as a Mermaid state diagram (which GitHub draws) and as a table. Events that leave a state
 * where it is are gathered into one arrow. Throws on what our machines do not have (nested states, guards, timers): it
 * would be left out in silence.
 */
export function chartPage(category: string, { config }: Drawable): string {
  const states = Object.entries(config.states ?? {})
  const arrows = states.flatMap(([from, state]) => arrowsOf(from, state))
  const moves = arrows.filter(({ from, to }) => from !== to)
  const stays = states
    .map(([name]) => ({
      name,
      events: arrows.filter(({ from, to }) => from === name && to === name).map(({ event }) => event),
    }))
    .filter(({ events }) => events.length > 0)
  const drawn = [
    ...moves.map(({ from, to, event }) => `  ${from} --> ${to}: ${event}`),
    ...stays.flatMap(({ name, events }) => inLines(events).map((some) => `  ${name} --> ${name}: ${some}`)),
  ]
  const rows = arrows.map(({ from, event, to, actions }) => {
    const then = to === from ? '' : to
    return `| ${from} | ${event} | ${then} | ${actions.join(', ')} |`
  })
  return `# ${category}

Drawn from \`machines/${category}/machine.ts\` by \`npm run charts\`; do not edit. The arrows are recorded events.
A machine has no guards: whether something may happen is decided in \`machines/${category}/decide.ts\`,
before it is recorded.

\`\`\`mermaid
stateDiagram-v2
  [*] --> ${String(config.initial)}
${drawn.join('\n')}
\`\`\`

| in | recorded | then | and |
|---|---|---|---|
${rows.join('\n')}
`
}

function arrowsOf(from: string, state: { readonly on?: unknown }): readonly Arrow[] {
  const strange = Object.keys(state).filter((key) => key !== 'on')
  if (strange.length > 0)
    throw new Error(`state ${from} has ${strange.join(', ')}, which this script cannot draw: teach it`)
  return Object.entries(state.on ?? {}).map(([event, transition]) => arrowOf(from, event, transition))
}

function arrowOf(from: string, event: string, transition: unknown): Arrow {
  if (typeof transition === 'string') return { from, to: transition, event, actions: [] }
  const { target, actions, ...strange } = transition as { target?: unknown; actions?: unknown }
  if (Object.keys(strange).length > 0 || Array.isArray(transition)) {
    throw new Error(
      `${event} in ${from} has ${Object.keys(strange).join(', ')}, which this script cannot draw: teach it`,
    )
  }
  const all = actions === undefined ? [] : Array.isArray(actions) ? actions : [actions]
  return { from, to: typeof target === 'string' ? target : from, event, actions: all.map(nameOf) }
}

const nameOf = (action: unknown): string =>
  typeof action === 'string' ? action : String((action as { type?: unknown }).type)

/** A line of a page has its end; a state may have several arrows. */
const MAX_CHARACTERS = 90

function inLines(events: readonly string[]): readonly string[] {
  const lines: string[] = []
  for (const event of events) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + event.length < MAX_CHARACTERS) lines[lines.length - 1] = `${last}, ${event}`
    else lines.push(event)
  }
  return lines
}
