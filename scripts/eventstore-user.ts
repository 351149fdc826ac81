import { request } from 'node:https'
import { EventStoreDBClient } from '@eventstore/db-client'
import { targetOf } from '../src/log/eventstore-address.ts'
import { allowAddresses } from '../src/log/eventstore-tls.ts'

// Makes the user that Lyceum connects to EventStoreDB as, in a group that may read $all. Harmless to repeat: a user who
// is there is left as they are, and who may read $all already still may.

const [name, group = name] = process.argv.slice(2)
const { EVENTSTORE_ADMIN_URL: adminUrl, NEW_PASSWORD: password } = process.env
if (!name || !group || !adminUrl || !password) {
  process.stderr.write(
    'expected EVENTSTORE_ADMIN_URL=esdb://admin:<password>@host:2113?tlsCAFile=… and NEW_PASSWORD=… ' +
      'in the environment, and as arguments the name of the user and of its group: ' +
      'npm run eventstore-user -- lyceum lyceum\n',
  )
  process.exit(1)
}

/** Users are made over HTTP: the protocol of the client has no call for it. */
function makeUser(url: string, user: object): Promise<number> {
  const { hosts, tls } = targetOf(url)
  const [host] = hosts
  const auth = decodeURIComponent(/:\/\/([^@]+)@/.exec(url)?.[1] ?? '')
  const options = { method: 'POST', path: '/users/', auth, headers: { 'Content-Type': 'application/json' } }
  return new Promise((resolve, reject) => {
    const call = request({ ...options, host: host?.host, port: host?.port, ca: tls?.ca }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    call.once('error', reject)
    call.end(JSON.stringify(user))
  })
}

async function letReadAll(url: string): Promise<void> {
  allowAddresses()
  const client = EventStoreDBClient.connectionString(targetOf(url).url)
  const { metadata } = await client.getStreamMetadata('$all')
  const readRoles = [...new Set(['$admins', ...(metadata?.acl?.readRoles ?? []), String(group)])]
  await client.setStreamMetadata('$all', { ...metadata, acl: { ...metadata?.acl, readRoles } })
  await client.dispose()
}

const CREATED = 201
const CONFLICT = 409
const status = await makeUser(adminUrl, { loginName: name, fullName: name, groups: [group], password })
if (status !== CREATED && status !== CONFLICT) {
  process.stderr.write(
    `EventStoreDB answered ${status} when ${name} was to be made: is the user in EVENTSTORE_ADMIN_URL an admin?\n`,
  )
  process.exit(1)
}
await letReadAll(adminUrl)
const made = status === CREATED ? 'is made' : 'was there already, and keeps their password and groups'
process.stdout.write(`${name} ${made}; ${group} may read $all\n`)
