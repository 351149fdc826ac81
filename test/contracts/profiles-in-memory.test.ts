import { expect, onTestFinished, test } from 'vitest'
import { startServer } from '../support/server.ts'
import { company } from './company.ts'

test('[LIMIT-11] whoever is not staff leaves the memory of a node when they go offline, staff do not', async () => {
  const server = await startServer()
  onTestFinished(() => server.kill('SIGKILL'))
  const acme = company(server)
  const known = async (): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text()
    return Number(/^lyceum_profiles (\d+)/m.exec(text)?.[1])
  }
  const ann = await acme.join('agent', 'ann')
  await ann.told('staff_init')
  const before = await known()
  for (let round = 0; round < 2; round++) {
    const guests = [
      ...(await Promise.all(['vera', 'vic', 'val'].map((id) => acme.join('visitor', id)))),
      await acme.join('teacher', 'tea'),
      await acme.join('student', 'stu'),
    ]
    await expect.poll(known).toBe(before + 5)
    for (const guest of guests) guest.close()
    await expect.poll(known).toBe(before)
  }
  const sue = await acme.join('supervisor', 'sue')
  ann.close()
  await sue.told('staff_goes_offline')
  expect(await known()).toBe(before + 1)
  acme.close()
  await server.stop()
})
