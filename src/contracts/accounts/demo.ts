import { randomInt } from 'node:crypto'
import { type Party, Refusal } from '../../../machines/kernel.ts'
import type { DemoLogin, SeedParts } from '../../delivery/contract.ts'
import { openAccount } from '../../gateway/auth/accounts.ts'

const ORG = 'demo'
const PEOPLE = [
  { name: 'Admin', role: 'admin' },
  { name: 'Supervisor', role: 'supervisor' },
  { name: 'Agent 1', role: 'agent' },
  { name: 'Agent 2', role: 'agent' },
] as const

/**
 * On a log without a single event: the organisation `demo` with an admin, a supervisor and two agents. Otherwise
 * nothing, so it may be called at every start. Not meant for two nodes that start at once on an empty shared log: the
 * second one finds the accounts taken, and only the logins that it opened itself are returned.
 */
export async function openDemo({ log, ...parts }: SeedParts): Promise<readonly DemoLogin[]> {
  for await (const batch of log.readAll({ limit: 1 })) if (batch.length > 0) return []
  const by: Party = { id: 'system', org: ORG, role: 'system' }
  const { entities, now } = parts
  const logins: DemoLogin[] = []
  for (const { name, role } of PEOPLE) {
    const email = `${name.toLowerCase().replace(' ', '')}@demo.example`
    const password = randomPassword()
    const opened = await openAccount(parts, by, { email, password, role, profile: { full_name: `Demo ${name}` } })
    if (!(opened instanceof Refusal)) logins.push({ email, password, role })
    else if (opened.code !== 'account-exists')
      throw new Error(`the demo account ${email} could not be opened: ${opened.code}`)
  }
  const command = { type: 'OpenOrganisation', how: 'demo', title: 'Demo', by, at: now() } as const
  await entities.ask('organisation', ORG, command)
  return logins
}

/** Without the letters and digits that look alike in print. 16 of 55 characters: 92 bits. */
const LETTERS = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'

function randomPassword(): string {
  const characters = Array.from({ length: 16 }, () => LETTERS.charAt(randomInt(LETTERS.length)))
  return characters.join('').replace(/(.{4})(?=.)/g, '$1-')
}
