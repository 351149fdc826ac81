import { expect, test } from 'vitest'
import { connect } from '../support/client.ts'
import { eventually } from '../support/lessons.ts'
import { startServer, tokenFor } from '../support/server.ts'

test('[CONN-18] [CONN-19] [GUARD-4] what strangers do is told once, and loopback has one name', async () => {
  const server = await startServer({ env: { ALLOWED_ORIGINS: 'http://localhost:5173' } })
  const path = '/socket.io/?EIO=4&transport=polling'
  const Authorization = await tokenFor('agent', 'ann')
  const from = (Origin: string, url: string = path) =>
    fetch(server.url + url, { headers: { Origin, Authorization: `Bearer ${Authorization}` } })

  for (const origin of ['http://127.0.0.1:5173', server.url.replace('127.0.0.1', 'localhost')]) {
    const answers = [await from(origin), await from(origin, '/api/v1/users/me')]
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
    for (const { headers } of answers) expect(headers.get('Access-Control-Allow-Origin')).toBe(origin)
  }
  for (let n = 0; n < 5; n++) {
    expect((await from('https://shop.example')).status).toBe(403)
    await from('https://shop.example', '/api/v1/users/me')
  }
  const ann = await connect(server.url, { auth: { token: Authorization }, query: { protocol: '2' } })
  for (let n = 0; n < 5; n++) expect((await ann.ask('staf_join', {}))[0]).toBe(false)
  ann.close()
  const linesWith = (text: string) =>
    server
      .output()
      .split('\n')
      .filter((line) => line.includes(text))
  await eventually(
    () => linesWith('"event":"staf_join"'),
    (lines) => lines.length === 1,
  )
  expect(linesWith('"origin":"https://shop.example"')).toHaveLength(1)
  expect(linesWith('"origin"')).toHaveLength(1)
  await server.stop()
  expect(linesWith('staf_join')).toHaveLength(1)
})
