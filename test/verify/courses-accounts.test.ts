import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import { accounts } from '../../src/contracts/accounts/contract.ts'
import { courses } from '../../src/contracts/courses/contract.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const boss: Party = { id: 'boss', org, role: 'admin' }
const some = <T>(steps: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(steps, { minLength: 5, maxLength: 30, size: 'max' })

test('[VERIFY-1] [VERIFY-2] courses: every accepted command is recorded as answered, and nobody is told', async () => {
  const command = fc.constantFrom<(id: string) => object>(
    () => ({ type: 'CreateCourse', title: 'Algebra', teacherIds: ['t0'] }),
    (id) => ({ type: 'Retitle', title: `Algebra ${id}` }),
    (id) => ({ type: 'AssignTeacher', teacherId: `t${id}` }),
    (id) => ({ type: 'WithdrawTeacher', teacherId: `t${id}` }),
    (id) => ({ type: 'Enrol', studentId: id }),
    (id) => ({ type: 'Unenrol', studentId: id }),
  )
  const step = fc.tuple(command, fc.nat(1)).map<Step>(([commandOf, n]) => ({ ask, node: { clock } }) => {
    const asked = { ...commandOf(String(n)), by: boss, at: clock.now() }
    return ask('course', 'c', asked as never) // one of the commands above
  })
  const watch = { watch: (world: Parameters<Step>[0]) => world.connect(boss), held: () => null }
  const seen = await verify({ contract: courses, steps: some(step), ...watch }, 30)
  expect(unseen(seen, 'course')).toEqual([])
})

test('[VERIFY-1] [VERIFY-2] accounts: every accepted command is recorded as answered, and nobody is told', async () => {
  const ann: Party = { id: 'ann', org, role: 'agent' }
  const opening = { id: 'ann', role: 'agent', login: 'l', profile: { full_name: 'Ann' }, passwordHash: '' } as const
  const commands: readonly ((n: number) => object)[] = [
    (n) => ({ type: 'Introduce', role: 'agent', profile: { full_name: `Ann ${n}` }, issuedAt: n, by: ann }),
    () => ({ type: 'OpenAccount', ...opening, by: boss }),
    (n) => ({ type: 'ChangeProfile', changes: { full_name: `Ann ${n}` }, by: boss }),
    (n) => ({ type: 'ChangePassword', passwordHash: `hash ${n}`, by: boss }),
    () => ({ type: 'Disable', id: 'ann', by: boss }),
    () => ({ type: 'Enable', by: boss }),
  ]
  const person = fc.tuple(fc.constantFrom(...commands), fc.nat(9)).map<Step>(([commandOf, n]) => (world) => {
    const asked = { ...commandOf(n), at: world.node.clock.now() }
    return world.ask('person', `${org}.ann`, asked as never) // one of the commands above
  })
  const login = fc.nat(2).map<Step>(
    (n) =>
      ({ ask, node: { clock } }) =>
        ask('login', 'l', { type: 'AddLogin', org, person: `p${n}`, by: boss, at: clock.now() }),
  )
  const watch = { watch: (world: Parameters<Step>[0]) => world.connect(boss), held: () => null }
  const seen = await verify({ contract: accounts, steps: some(fc.oneof(person, person, login)), ...watch }, 30)
  expect(unseen(seen, 'person', 'login')).toEqual([])
})
