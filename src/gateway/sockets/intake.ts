/** A large frame that is being received, or was received and is being dealt with. */
export interface Intake {
  readonly person: string
  readonly org: string
  /** In memory because of it. */
  bytes: number
  /** It is not read on for now. */
  isPaused: boolean
  /** It brings so little that nobody must wait for it. */
  isSlow: boolean
  /** Whoever sends it is to be read on. */
  readonly resume: () => void
}

/**
 * What may be in memory of frames that come at a good pace. A file of 5 MiB takes some 25 MiB on its way, as bytes of
 * the frame, as text, as JSON, as a file: but one after the other.
 */
const MAX_BYTES = 32 * 1_024 * 1_024
/** Of those that come slowly, in which little happens: they have a place of their own, and hold up one another. */
const MAX_SLOW_BYTES = 32 * 1_024 * 1_024
/** Of one person at a time; what they send besides waits in their own network. */
const MAX_OF_PERSON = 2

/**
 * Who may go on sending a large frame. Bytes are counted, not frames, so that one who has sent little keeps nobody
 * waiting; those who wait have their turns by organisation, so that none fills the place of all others.
 */
export class Intakes {
  readonly #all = new Set<Intake>()
  /** Organisations in the order of their turns. */
  #turns: string[] = []

  get size(): number {
    return this.#all.size
  }

  *[Symbol.iterator](): Iterator<Intake> {
    yield* this.#all
  }

  add(intake: Intake): void {
    this.#all.add(intake)
  }

  remove(intake: Intake): void {
    if (this.#all.delete(intake)) this.goOn()
  }

  mayGoOn(intake: Intake): boolean {
    let [slow, quick, ofOrg, ofPerson] = [0, 0, 0, 0]
    let oldest: Intake | undefined
    let othersWait = false
    for (const one of this.#all) {
      if (one.isSlow) slow += one.bytes
      else quick += one.bytes
      if (one.person === intake.person && one !== intake && !one.isPaused) ofPerson++
      if (one.org !== intake.org) othersWait ||= one.isPaused
      if (one.isSlow) continue
      oldest ??= one
      if (one.org === intake.org) ofOrg += one.bytes
    }
    if (ofPerson >= MAX_OF_PERSON) return false
    if (intake.isSlow) return slow < MAX_SLOW_BYTES
    // One can always be finished, however much was begun.
    if (intake === oldest) return true
    return quick < MAX_BYTES && (!othersWait || ofOrg < MAX_BYTES / 2)
  }

  /** Somebody is done, or has become slow: whoever waits and may go on does so. */
  goOn(): void {
    const waiting = Map.groupBy(
      [...this.#all].filter(({ isPaused }) => isPaused),
      ({ org }) => org,
    )
    const known = this.#turns.filter((org) => waiting.has(org))
    this.#turns = [...known, ...[...waiting.keys()].filter((org) => !known.includes(org))]
    for (let went = true; went; ) {
      went = false
      for (const org of [...this.#turns]) {
        const next = waiting.get(org)?.find((intake) => intake.isPaused && this.mayGoOn(intake))
        if (!next) continue
        next.isPaused = false
        next.resume()
        this.#turns = [...this.#turns.filter((one) => one !== org), org]
        went = true
      }
    }
  }
}
