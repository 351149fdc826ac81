import { request } from 'node:http'

/**
 * GET with any headers, also those that fetch forbids (an upgrade, an empty token). An upgraded connection counts as
 * 200.
 */
export function rawGet(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { headers: { ...headers }, agent: false })
    asked.once('error', reject)
    asked.once('upgrade', (_, socket) => {
      socket.destroy()
      resolve(new Response(null, { status: 200 }))
    })
    asked.once('response', async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk)
      resolve(new Response(Buffer.concat(chunks), { status: answer.statusCode ?? 500 }))
    })
    asked.end()
  })
}
