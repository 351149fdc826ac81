import { createServer } from 'node:http'
import { chromium } from 'playwright-core'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../src/gateway/http/listen.ts'
import { openLine } from '../support/line.ts'
import { whereIs } from '../support/machine-needs.ts'
import { startServer } from '../support/server.ts'
import { studio } from '../support/studio.ts'

test('[PROJECT-12] a page in a browser is told what happens, and what it missed when its line was cut', async () => {
  const pages = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'))
  const origin = await listen(pages, '127.0.0.1', 0)
  const server = await startServer({ env: { ALLOWED_ORIGINS: origin } })
  const line = await openLine(server.url)
  const it = studio(server)
  const browser = await chromium.launch({ executablePath: whereIs('chromium') ?? 'chromium', args: ['--no-sandbox'] })
  onTestFinished(async () => {
    await browser.close()
    it.close()
    await line.close()
    await server.stop()
    pages.close()
  })
  const project = await it.project('P', 'owen', 'eve')
  const { ticket } = (await it.ask('eve', 'POST', '/users/stream-ticket', {})).body.data
  const page = await browser.newPage()
  await page.goto(origin)
  // As the document has it.
  await page.evaluate(
    `const sse = new EventSource('${line.url}/api/v1/users/stream/${ticket}')
     window.told = []
     sse.addEventListener('open', () => window.told.push('open'))
     sse.addEventListener('action_project', (event) => window.told.push(JSON.parse(event.data).message))`,
  )
  const told = () => page.evaluate('window.told') as Promise<string[]>
  const renamed = (n: number) => `The title's project 'T${n - 1}' become the new tilte 'T${n}'.`
  await expect.poll(told).toEqual(['open'])
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'T0' })
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'T1' })
  await expect.poll(told).toContain(renamed(1))
  line.down()
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'T2' })
  line.mend()
  await it.ask('owen', 'PATCH', `/projects/${project}`, { title: 'T3' })
  await expect.poll(told, { timeout: 20_000 }).toContain(renamed(3))
  expect((await told()).filter((text) => text !== 'open').slice(1)).toEqual([1, 2, 3].map(renamed))
})
