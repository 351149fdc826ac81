import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { meetNeeds, whereIs } from './support/machine-needs.ts'

let programs: string
beforeEach(() => {
  programs = mkdtempSync(join(tmpdir(), 'lyceum-needs-'))
})
afterEach(() => rmSync(programs, { recursive: true, force: true }))

/**
 * A machine with these programs, openssl and a browser, each a script of the shell, and no others; `python`: with what
 * Python needs.
 */
const machine = (isRoot: boolean, its: Readonly<Record<string, string>>, python = true) => {
  const scripts = { chromium: '', openssl: '', ...its }
  const modules = join(programs, 'modules')
  for (const name of python ? ['socketio', 'requests', 'websocket'] : [])
    mkdirSync(join(modules, name), { recursive: true })
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(programs, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(programs, name), 0o755)
  }
  return { path: programs, modules, isRoot }
}
/** Does what it is asked for, and writes down how it was called. */
const apt = (): string => `echo "apt-get $*" >> ${programs}/called
if [ "$1" = install ]; then : > ${programs}/redis-server; /bin/chmod +x ${programs}/redis-server; fi`
const sudo = (): string => `echo "sudo $*" >> ${programs}/called
shift; [ "$1" = true ] || "$@"`
const called = (): string[] => readFileSync(join(programs, 'called'), 'utf8').trimEnd().split('\n')
const SENTENCE =
  'This machine has no redis-server, which the tests need: ' +
  'install it (on Debian: sudo apt-get install redis-server) and start again.'
const INSTALL = 'apt-get install -y -qq --no-install-recommends redis-server'

describe('what the tests need beyond npm', () => {
  test('is left alone when it is there', () => {
    expect(() => meetNeeds(machine(false, { 'redis-server': '' }))).not.toThrow()
  })

  test('is installed by apt where the tests run as root', () => {
    const bare = machine(true, { 'apt-get': apt() })
    meetNeeds(bare)
    expect(whereIs('redis-server', bare)).toBe(join(programs, 'redis-server'))
    expect(called()).toEqual(['apt-get update -qq', INSTALL])
  })

  test('is installed where Python is without it', () => {
    const bare = { 'redis-server': '', 'apt-get': `[ "$1" = update ] || /bin/mkdir -p ${programs}/modules/socketio` }
    const sentence = /no python3-socketio, which .* apt-get install python3-socketio python3-requests python3-websocket/
    expect(() => meetNeeds(machine(true, bare, false))).toThrow(sentence) // without its transports
    const all = `cd ${programs}/modules && /bin/mkdir -p socketio requests websocket`
    expect(() => meetNeeds(machine(true, { ...bare, 'apt-get': all }, false))).not.toThrow()
  })

  test('is installed through a sudo that asks for no password', () => {
    meetNeeds(machine(false, { 'apt-get': apt(), sudo: sudo() }))
    expect(called()).toEqual([
      'sudo -n true',
      'sudo -n apt-get update -qq',
      'apt-get update -qq',
      `sudo -n ${INSTALL}`,
      INSTALL,
    ])
  })

  test.each([
    ['there is no apt', true, {}],
    ['nobody may use apt', false, { 'apt-get': 'exit 1' }],
    ['sudo asks for a password', false, { 'apt-get': 'exit 1', sudo: 'exit 1' }],
    ['apt reaches no mirror', true, { 'apt-get': 'exit 100' }],
    ['apt has no such package', true, { 'apt-get': '[ "$1" = update ]' }],
  ])('is named with the command that installs it when %s', (_, isRoot, scripts) => {
    expect(() => meetNeeds(machine(isRoot, scripts))).toThrow(SENTENCE)
  })
})
