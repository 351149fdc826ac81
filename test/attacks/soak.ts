import { setTimeout as pause } from 'node:timers/promises'
import { honest } from './honest.ts'
import { readyAttackers } from './one-attack.ts'
import { watched } from './server-process.ts'
import { ATTACKS, type Attack } from './table.ts'

/** Of all who are connected. */
const HOSTILE = 4
const ATTACK_S = 5
const MINUTE_MS = 60_000

/** Honest people for so many minutes, and a tenth as many who attack in one way after another. */
export async function soak(minutes: number): Promise<boolean> {
  const it = await watched()
  const people = await honest(it.server)
  let isOver = false
  let attacks = 0
  const hostile = (async () => {
    while (!isOver && !it.isDead()) {
      const attack = ATTACKS[Math.floor(Math.random() * ATTACKS.length)] as Attack // there are some
      const attackers = await readyAttackers()
      const { url } = it.server
      await attackers({ name: attack.name, attackers: HOSTILE, url, world: people.world, seconds: ATTACK_S })
      attacks++
    }
  })()
  const say = (line: string): void => void process.stdout.write(`${line}\n`)
  say('| minute | p50 / p99 ms | RSS MB | most | heap MB | attacks | troubles |\n|---|---|---|---|---|---|---|')
  for (let minute = 1; minute <= minutes && !it.isDead(); minute++) {
    const from = performance.now()
    await pause(MINUTE_MS)
    const { p50, p99 } = people.latency(from, performance.now())
    const [rss, heap] = [await it.rssMb(), await it.heapMb()]
    const latency = `${p50.toFixed(1)} / ${p99.toFixed(1)}`
    say(`| ${minute} | ${latency} | ${rss} | ${it.takePeakMb()} | ${heap} | ${attacks} | ${people.troubles.length} |`)
  }
  isOver = true
  await hostile
  const died = it.isDead()
  const { acked, wrong } = died ? { acked: 0, wrong: ['the server died'] } : await people.settle()
  say(`\n${acked} acknowledged, ${wrong.length} lost or doubled, ${people.troubles.length} troubles`)
  for (const what of [...wrong, ...people.troubles].slice(0, 20)) say(`- ${what}`)
  people.close()
  await it.stop()
  return wrong.length === 0 && people.troubles.length === 0
}
