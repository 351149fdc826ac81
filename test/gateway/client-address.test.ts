import { describe, expect, test } from 'vitest'
import { clientAddresses } from '../../src/gateway/client-address.ts'
import { readTrustProxy } from '../../src/trust-proxy.ts'

/** Whose request it is that a peer sends with these headers. */
const told = (trusted: string | null, peer: string, headers: Readonly<Record<string, string>> = {}): string =>
  clientAddresses(trusted === null ? null : readTrustProxy(trusted)).of({ headers, socket: { remoteAddress: peer } })

const forwardedFor = (value: string) => ({ 'x-forwarded-for': value })

describe('[DOOR-1] nobody is believed who is not named', () => {
  test.each([
    ['by default', null, '198.51.100.1'],
    ['with no proxy in front', '0', '198.51.100.1'],
    ['when another one is named', '10.0.0.0/8', '198.51.100.1'],
  ])('%s', (_, trusted, peer) => {
    const headers = { ...forwardedFor('192.0.2.1'), forwarded: 'for=192.0.2.1' }
    expect(told(trusted, peer, headers)).toBe(peer)
  })
})

describe('[DOOR-2] what proxies have written is read from the right, never past one that is not ours', () => {
  test.each([
    ['one proxy', '1', '192.0.2.1', '192.0.2.1'],
    ['what the client made up stands left of it', '1', '203.0.113.9, 192.0.2.1', '192.0.2.1'],
    ['two proxies', '2', '203.0.113.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['fewer than were promised', '3', '192.0.2.1', '192.0.2.1'],
    ['by address', '10.0.0.0/8', '203.0.113.9, 192.0.2.1, 10.0.0.2', '192.0.2.1'],
    ['all of them ours', '10.0.0.0/8', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['a port behind it', '1', '192.0.2.1:4711', '192.0.2.1'],
    ['IPv6 with a port', '1', '[2001:db8:0:7::9]:4711', '2001:db8:0:7::/64'],
    ['what is no address ends the reading', '2', '192.0.2.1, unknown, 10.0.0.2', '10.0.0.2'],
    ['nothing that can be read', '1', 'unknown', '10.0.0.1'],
    ['an empty one', '1', '', '10.0.0.1'],
    ['thousands of commas', '10.0.0.0/8', `192.0.2.1${',10.0.0.2'.repeat(5_000)}`, '10.0.0.2'],
  ])('%s', (_, trusted, header, client) => {
    expect(told(trusted, '10.0.0.1', forwardedFor(header))).toBe(client)
  })

  test.each([
    ['a plain one', 'for=192.0.2.1', '192.0.2.1'],
    ['with all that may stand beside it', 'For="192.0.2.1:80";proto=http;by=10.0.0.1;host="a.example"', '192.0.2.1'],
    ['IPv6', 'for="[2001:db8:0:7::9]:80"', '2001:db8:0:7::/64'],
    ['what the client made up stands left of it', 'for=203.0.113.9, for=192.0.2.1', '192.0.2.1'],
    ['a quote that the client left open', 'for="203.0.113.9, for=192.0.2.1', '192.0.2.1'],
    ['a host that holds a comma', 'for=192.0.2.1;host="x, for=203.0.113.9"', '10.0.0.1'],
    ['a host that holds a quote', String.raw`for=192.0.2.1;host="x\",for=203.0.113.9;host=\"y"`, '10.0.0.1'],
    ['two at once', 'for=192.0.2.1;for=203.0.113.9', '10.0.0.1'],
    ['a name in place of an address', 'for=_hidden', '10.0.0.1'],
    ['none', 'by=10.0.0.1', '10.0.0.1'],
  ])('Forwarded: %s', (_, forwarded, client) => {
    expect(told('1', '10.0.0.1', { forwarded })).toBe(client)
  })

  test('two headers that do not agree are not believed: one of them is what the client sent', () => {
    const made = { ...forwardedFor('192.0.2.1'), forwarded: 'for=203.0.113.9' }
    expect(told('1', '10.0.0.1', made)).toBe('10.0.0.1')
    expect(told('1', '10.0.0.1', { ...made, forwarded: 'for=192.0.2.1' })).toBe('192.0.2.1')
  })
})

describe('[DOOR-3] IPv6 addresses are counted by their /64, those that are IPv4 in truth as IPv4', () => {
  test.each([
    ['2001:db8:0:7:1:2:3:4', '2001:db8:0:7::/64'],
    ['2001:db8:0:7::ffff', '2001:db8:0:7::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['192.0.2.1', '192.0.2.1'],
  ])('%s', (peer, counted) => {
    expect(told(null, peer)).toBe(counted)
  })
  test('a proxy that listens on IPv6 is known by its IPv4 address', () => {
    expect(told('10.0.0.0/8', '::ffff:10.0.0.1', forwardedFor('::ffff:192.0.2.1'))).toBe('192.0.2.1')
  })
})
