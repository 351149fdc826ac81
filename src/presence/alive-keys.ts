/**
 * Two keys in Redis that other programs read, so that their names and values are a contract (000):
 * `alive:org_{org_id}_user_{user_id}` of a teacher, and `{user_id}` of a teacher or a student. Both have a time to live
 * that the node renews while the person is connected.
 */
export interface AliveKeys {
  /**
   * Somebody's socket is open and their presence recorded. Resolves when the keys are written, or cannot be now:
   * renewing repairs that.
   */
  enter(visit: Visit): Promise<void>
  /**
   * The socket is closed. `{user_id}` goes to another socket of theirs, wherever that is, or is removed. Unknown
   * sockets are no error.
   */
  leave(socket: string): Promise<void>
  /**
   * They are recorded as lost, or as offline: unless somebody holds a lease for them, no key names a socket of theirs
   * any more, and, when they are offline, `alive:…` goes.
   */
  gone(person: string, state: 'lost' | 'offline'): Promise<void>
  /** Stops renewing, removes what is this node's. */
  close(): Promise<void>
}

/** One socket of a person. */
export interface Visit {
  /** `<org>.<id>`, as in leases. */
  readonly person: string
  /** Null for anonymous participants, who belong to none. */
  readonly org: string | null
  readonly id: string
  readonly role: 'teacher' | 'student'
  readonly socket: string
}

/** Without Redis there are no keys: `GET /api/v1/presence` tells the same. */
export const noAliveKeys: AliveKeys = {
  enter: async () => {},
  leave: async () => {},
  gone: async () => {},
  close: async () => {},
}

export const aliveKey = (org: string, id: string): string => `alive:org_${org}_user_${id}`
/** @param since milliseconds since 1970; the value has seconds */
export const aliveValue = (since: number): string =>
  JSON.stringify({ login_time: Math.floor(since / 1000), state: 'connect' })

/**
 * The name of the other key is the id alone: of one id in two organisations who came last is in it. No name of ours is
 * an id: they have colons.
 */
export const userKey = (id: string): string => id
export const userValue = ({ socket, id, role, org }: Visit): string =>
  JSON.stringify({ sid: socket, client_id: id, role, org_id: org })

/**
 * Why the teachers of an organisation could not be told apart in `alive:…`; undefined = they can. Without this rule the
 * organisation `a_user_b` with the teacher `c`, and `a` with `b_user_c`, would share a key, and so would `a_user` with
 * `x`, and `a` with `user_x`. With it the first `_user_` of the name always ends the organisation's id, because an
 * earlier one would lie within that id or, as `_user_` overlaps itself by its outer characters only, begin with the
 * `_user` that ends it. Teachers' ids are free.
 */
export function aliveKeyProblem(org: string): string | undefined {
  if (!org.includes('_user_') && !org.endsWith('_user')) return undefined
  return (
    `teachers of the organisation ${JSON.stringify(org)} cannot connect: ` +
    'in the key alive:org_{org_id}_user_{user_id} its id could be ' +
    'taken for another one. Rename the organisation: its id must not contain "_user_" and not end with "_user"'
  )
}
