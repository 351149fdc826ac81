import fc from 'fast-check'
import { expect } from 'vitest'
import type { Kinds } from '../../machines/catalogue.ts'
import { Refusal } from '../../machines/kernel.ts'
import type { Contract } from '../../src/delivery/contract.ts'
import type { Heard } from '../support/rooms.ts'
import { type Client, oneNode, type World } from './world.ts'

/** Something that somebody does, or that happens. */
export type Step = (world: World) => Promise<unknown>

/** How a contract is verified. */
export interface Verification {
  readonly contract: Contract
  /** Contracts that it stands on: whose commands its steps give, too. */
  readonly with?: readonly Contract[]
  readonly kinds?: Kinds
  /** What has to be there before the steps. */
  readonly arrange?: Step
  /** Commands by everybody who plays, in any order: some are refused. */
  readonly steps: fc.Arbitrary<readonly Step[]>
  /** One history that holds every event and every notice, whatever chance brings besides. */
  readonly example?: readonly Step[]
  /** Connects somebody who is told the opening state, and whatever is pushed from then on. */
  readonly watch: (world: World, nth: number) => Promise<Client>
  /** What a client holds that applies what it hears as the contract's page says, the opening first. */
  readonly held: (heard: readonly Heard[], client: Client) => unknown
  /** Names of openings and of answers that are no notices; each has its shape as well. */
  readonly besides?: Readonly<Record<string, Contract['wire'][string]>>
}

/** What was seen over all runs: commands that recorded something, events that were recorded, names that were told. */
export interface Seen {
  readonly commands: Set<string>
  readonly events: Set<string>
  readonly names: Set<string>
}

/**
 * The one property that holds for every command of every contract: what a client was told when it came, and the notices
 * since, come to what it would be told if it came now; each notice fits its published shape; an accepted command is
 * recorded at the place that its answer tells, and has changed its entity by that (`audit`).
 */
export async function verify(verification: Verification, numRuns: number): Promise<Seen> {
  const { contract, steps, watch, held, besides = {} } = verification
  const shapes = { ...contract.wire, ...besides }
  const seen: Seen = { commands: new Set(), events: new Set(), names: new Set() }

  const fits = ({ name, data }: Heard): void => {
    const shape = shapes[name]
    if (!shape) return // another contract's
    seen.names.add(name)
    const read = shape.safeParse(data)
    expect(read.success, `${name} does not fit its shape: ${read.error?.message} in ${JSON.stringify(data)}`).toBe(true)
  }

  const audited = async (world: World): Promise<void> => {
    await world.settled()
    for (const { command, answer } of await world.audited()) {
      if (answer instanceof Refusal || answer.events.length === 0) continue
      seen.commands.add(command.type)
      for (const { type } of answer.events) seen.events.add(type)
    }
  }

  const play = async (todo: readonly Step[]): Promise<void> => {
    const world = await oneNode([...(verification.with ?? []), contract], verification.kinds)
    try {
      await verification.arrange?.(world)
      const clients: Client[] = []
      for (const [nth, step] of todo.entries()) {
        await audited(world)
        clients.push(await watch(world, nth))
        world.advance(1)
        await step(world)
      }
      await audited(world)
      for (const client of clients) {
        const fresh = await watch(world, clients.indexOf(client))
        await world.settled()
        client.heard.forEach(fits)
        expect(held(client.heard, client)).toEqual(held(fresh.heard, fresh))
      }
    } finally {
      await world.stop()
    }
  }
  await fc.assert(fc.asyncProperty(steps, play), {
    numRuns,
    examples: verification.example ? [[verification.example]] : [],
  })
  return seen
}
