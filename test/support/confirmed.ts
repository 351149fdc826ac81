import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { Company } from '../contracts/company.ts'
import type { Client } from './client.ts'
import { PATIENCE_MS } from './patience.ts'

/** What a server with this data directory keeps of whom it has told how much. */
export const receiptsIn = (data: string): Promise<string> => readFile(join(data, 'receipts'), 'utf8')

/** Resolves when everything that was pushed to this visitor so far has arrived, and the server knows it. */
export async function confirmed({ socket, ask }: Client, { http }: Company, data: string): Promise<void> {
  expect(await ask('visitor_msg', { text: 'fence' })).toEqual([true, null]) // it is asked whether that has arrived
  const { next } = (await (await http('visitor', '/api/v1/notices')).json()) as { next: string }
  const known = async (): Promise<boolean> =>
    [...(await receiptsIn(data)).matchAll(new RegExp(`${socket.id} (\\d+)`, 'g'))].some(
      ([, cursor = '']) => BigInt(cursor) >= BigInt(next),
    )
  await expect.poll(known, { timeout: PATIENCE_MS }).toBe(true)
}
