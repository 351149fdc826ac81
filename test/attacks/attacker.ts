// The process of the attackers: what they do must not slow down the clock that honest people are measured with.
import { attacking, type Losses } from './attacking.ts'
import type { World } from './honest.ts'
import { ATTACKS } from './table.ts'

export interface Orders {
  readonly name: string
  readonly url: string
  readonly world: World
  readonly seconds: number
  readonly attackers: number
}

process.once('message', (orders: Orders) => {
  void attack(orders).then((losses) => process.send?.(losses, () => process.exit(0)))
})
process.once('disconnect', () => process.exit(0))
process.send?.('ready')

async function attack({ name, url, world, seconds, attackers }: Orders): Promise<Losses> {
  const found = ATTACKS.find((one) => one.name === name)
  if (!found) throw new Error(`there is no attack ${name}`)
  const it = attacking(url, world, attackers, seconds)
  // Whatever an attacker still waits for when the time is over, it does not wait for.
  await Promise.race([found.run(it), it.rest(Number.POSITIVE_INFINITY)])
  return it.losses()
}
