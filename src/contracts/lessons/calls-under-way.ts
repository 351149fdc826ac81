/** Calls of people whose outcome is not known yet. */
export interface CallsUnderWay {
  /** `outcome` resolves when it is known; that it rejects is the business of others. */
  add(person: string, outcome: Promise<void>): void
  /** Resolves when the outcome of all calls is known that this person has under way now. */
  settled(person: string): Promise<void>
}

export function callsUnderWay(): CallsUnderWay {
  const people = new Map<string, Set<Promise<void>>>()

  return {
    add(person, outcome) {
      const theirs = people.get(person) ?? new Set()
      people.set(person, theirs)
      const over = outcome.then(nothing, nothing).then(() => {
        theirs.delete(over)
        if (theirs.size === 0) people.delete(person)
      })
      theirs.add(over)
    },
    async settled(person) {
      await Promise.all(people.get(person) ?? [])
    },
  }
}

const nothing = (): void => {}
