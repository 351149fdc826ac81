import { type ViewStore, ViewsUnavailable } from '../../src/views/store.ts'

export const METHODS = ['live', 'promote', 'read', 'scan', 'commit'] as const
export interface Fault {
  readonly method: (typeof METHODS)[number]
  /** Before the effect, or after it: then the caller does not learn that it happened. */
  readonly when: 'before' | 'after'
}

/** A view store that fails where it is told to, and can die: nothing gets through it any more. */
export interface FaultyViews extends ViewStore {
  /** The next call of that method fails. */
  fail(fault: Fault): void
  die(): void
}

export function faultyViews(inner: () => ViewStore): FaultyViews {
  const faults: Fault[] = []
  let dead = false

  const meets = (method: Fault['method'], when: Fault['when']) => {
    if (dead) throw new ViewsUnavailable('this process is dead')
    const at = faults.findIndex((fault) => fault.method === method && fault.when === when)
    if (at < 0) return
    faults.splice(at, 1)
    throw new ViewsUnavailable(`told to fail ${when} ${method}`)
  }
  const around = async <T>(method: Fault['method'], effect: () => Promise<T>): Promise<T> => {
    meets(method, 'before')
    const answer = await effect()
    meets(method, 'after')
    return answer
  }

  return {
    live: (view) => around('live', () => inner().live(view)),
    promote: (view, previous, table) => around('promote', () => inner().promote(view, previous, table)),
    read: (table, keys) => around('read', () => inner().read(table, keys)),
    scan: (table, options) => around('scan', () => inner().scan(table, options)),
    commit: (table, from, to, changes) => around('commit', () => inner().commit(table, from, to, changes)),
    close: async () => {},
    fail: (fault) => void faults.push(fault),
    die() {
      dead = true
    },
  }
}
