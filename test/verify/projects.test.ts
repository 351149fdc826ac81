import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Party } from '../../machines/kernel.ts'
import type { ProjectCommand } from '../../machines/project/commands.ts'
import { projects } from '../../src/contracts/projects/contract.ts'
import { projectAnswers } from '../../src/contracts/projects/shapes.ts'
import { unseen } from './kinds.ts'
import { type Step, verify } from './verify.ts'

const org = 'acme'
const PEOPLE = { 1: '1', 2: '2', 3: '3' } as const // whose ids are their numbers
const party = (id: string): Party => ({ id, org, role: 'agent' })
const member = (id: string) => ({ id, number: Number(id) })
const who = fc.constantFrom(...Object.values(PEOPLE))
type Asked = ProjectCommand extends infer C ? (C extends ProjectCommand ? Omit<C, 'by' | 'at'> : never) : never

const asking = (command: fc.Arbitrary<Asked>) =>
  fc.tuple(who, command).map<Step>(([id, asked]) => ({ ask, node }) => {
    return ask('project', '1', { ...asked, by: party(id), at: node.clock.now() } as ProjectCommand)
  })
const sending = fc
  .tuple(who, fc.option(who), fc.constantFrom({ content: 'hi' }, { file_name: 'a.txt', file_base64: 'aGk=' }))
  .map<Step>(([id, receiver, said]) => async (world) => {
    const receiver_id = receiver === null ? null : Number(receiver)
    return (await world.connect(party(id))).emit('send_message', { project_id: 1, receiver_id, ...said })
  })

const asks =
  (id: string, asked: Asked): Step =>
  ({ ask, node }) =>
    ask('project', '1', { ...asked, by: party(id), at: node.clock.now() } as ProjectCommand)
const says =
  (id: string, said: object): Step =>
  async (world) =>
    (await world.connect(party(id))).emit('send_message', { project_id: 1, ...said })

test('[VERIFY-1] [VERIFY-2] projects: every command is recorded as answered, and told in its shape', async () => {
  const seen = await verify(
    {
      contract: projects,
      besides: projectAnswers,
      async arrange({ ask, node: { clock } }) {
        const by = { by: party('1'), at: clock.now() }
        await ask('project', '1', { type: 'CreateProject', title: 'Bridge', owner: member('1'), ...by })
        await ask('project', '1', { type: 'AddParticipant', member: member('2'), ...by })
      },
      steps: fc.array(
        fc.oneof(
          { weight: 6, arbitrary: sending },
          { weight: 4, arbitrary: asking(who.map((id) => ({ type: 'AddParticipant', member: member(id) }))) },
          { weight: 2, arbitrary: asking(who.map((memberId) => ({ type: 'RemoveParticipant', memberId }))) },
          { weight: 3, arbitrary: asking(who.map((memberId) => ({ type: 'DesignateCoach', memberId }))) },
          { weight: 2, arbitrary: asking(fc.constant({ type: 'WithdrawCoach' })) },
          { weight: 2, arbitrary: asking(fc.constant({ type: 'LeaveProject' })) },
          { weight: 2, arbitrary: asking(fc.nat(3).map((n) => ({ type: 'RetitleProject', title: `T${n}` }))) },
          { weight: 1, arbitrary: asking(fc.constant({ type: 'DeleteProject' })) },
          {
            weight: 1,
            arbitrary: who.map<Step>((id) => async (world) => {
              return (await world.connect(party(id))).emit('join_project', { project_id: 9 })
            }),
          },
        ),
        { minLength: 5, maxLength: 25, size: 'max' },
      ),
      example: [
        says('1', { content: 'hi' }),
        asks('1', { type: 'AddParticipant', member: member('3') }),
        asks('1', { type: 'DesignateCoach', memberId: '2' }),
        asks('1', { type: 'RetitleProject', title: 'T' }),
        asks('1', { type: 'WithdrawCoach' }),
        asks('2', { type: 'LeaveProject' }),
        asks('1', { type: 'RemoveParticipant', memberId: '3' }),
        says('1', { file_name: 'a.txt', file_base64: 'aGk=' }),
        async (world) => (await world.connect(party('1'))).emit('join_project', { project_id: 9 }),
        asks('1', { type: 'DeleteProject' }),
      ],
      async watch(world, nth) {
        const client = await world.connect(party(String((nth % 3) + 1)))
        await client.emit('join_project', { project_id: 1 })
        return client
      },
      // What is told is told once: what can be looked at is there over HTTP.
      held: () => null,
    },
    60,
  )
  expect(unseen(seen, 'project')).toEqual([])
  for (const name of [...Object.keys(projects.wire), ...Object.keys(projectAnswers)]) expect(seen.names).toContain(name)
})
