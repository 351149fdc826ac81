import { setTimeout as pause } from 'node:timers/promises'
import { type DeskPlayer, sitDown } from './desk-client.ts'
import { type Member, visit } from './house.ts'
import { openLine } from './line.ts'
import { say, title } from './narrate.ts'

export interface Cast {
  readonly agents: readonly [Member, Member]
  /** A supervisor or an admin. */
  readonly boss: Member
}

/** People do not answer within a millisecond; and the replay is told at the pace of the play. */
const BREATH_MS = 150

/** Plays the desk; resolves to the room of the chat that had the most to it. */
export async function play(url: string, { agents, boss }: Cast): Promise<string> {
  const crowd = ['visitor_goes_online', 'visitor_goes_offline', 'staff_goes_online', 'staff_goes_offline']
  const toldByTheBoss = [
    ...crowd,
    'append_unclaimed_chats',
    'staff_claim_chat',
    'visitor_unclaimed_msg',
    'visitor_leave_queue',
  ]
  const quiet = [...toldByTheBoss, 'own_chat_claimed', 'chat_has_changed_priority']
  const line = await openLine(url)
  const everybody: DeskPlayer[] = []
  const enters = async (...args: Parameters<typeof sitDown>): Promise<DeskPlayer> => {
    const player = await sitDown(...args)
    everybody.push(player)
    return player
  }

  try {
    title('The desk opens')
    const sofia = await enters(url, 'Supervisor', boss, crowd)
    const one = await enters(url, 'Agent 1', agents[0], quiet)
    const two = await enters(url, 'Agent 2', agents[1], quiet)

    title('Visitors come')
    const mia = await enters(url, 'Mia', await visit(url, boss.org, 'Mia'))
    const ben = await enters(line.url, 'Ben', await visit(url, boss.org, 'Ben'))
    const anonymous = await enters(url, 'Somebody', await visit(url, boss.org))
    const { room } = await mia.must('visitor_first_msg', { content: { text: 'My course has vanished!' } })
    await ben.must('visitor_first_msg', { content: { text: 'How do I change my e-mail?' } })
    await anonymous.must('visitor_first_msg', { content: { text: 'Hello?' } })
    await mia.must('visitor_msg', { content: { text: 'It was there this morning.' } })
    await sofia.told('append_unclaimed_chats', ({ room: { id } }) => id === room)

    title('Both agents reach for Mia’s chat at the same moment: one wins')
    const [first, second] = await Promise.all([one.ask('staff_join', { room }), two.ask('staff_join', { room })])
    if (first.ok === second.ok) throw new Error('exactly one of two claimers must win')
    const [winner, loser] = first.ok ? [one, two] : [two, one]
    await mia.told('staff_join_room')
    await pause(BREATH_MS)
    await winner.must('staff_msg', { room, content: { text: 'Hello Mia, I am looking.' } })
    await mia.told('staff_send')
    await pause(BREATH_MS)
    await mia.must('visitor_msg', { content: { text: 'Thank you. The exam is in an hour!' } })
    await winner.told('visitor_send')

    title('An exam in an hour: the agent flags the chat, the supervisor takes it over')
    await winner.must('change_chat_priority', { room, severity_level: 80 })
    await sofia.told('chat_has_changed_priority_for_supervisor')
    await pause(BREATH_MS)
    await sofia.must('take_over_chat', { room })
    await Promise.all([winner.told('staff_being_taken_over_chat'), mia.told('staff_being_taken_over_chat')])
    await winner.ask('staff_msg', { room, content: { text: 'I was just about to …' } })
    await sofia.must('staff_msg', { room, content: { text: 'Your course is back, Mia. Good luck!' } })
    await mia.told('staff_send')

    title('The other agent serves Ben, whose connection breaks and comes back')
    const { room: bens } = await ben.must('visitor_msg', { content: { text: 'Is anybody there?' } })
    await loser.must('staff_join', { room: bens })
    await ben.told('staff_join_room')
    const back = ben.isBack()
    say('Ben', '✂ the line breaks; Ben’s client connects again by itself')
    line.cut()
    await back
    say('Ben', '⟳ back within the grace: nobody was told, the chat goes on')
    await ben.must('visitor_msg', { content: { text: 'Sorry, a tunnel.' } })
    await loser.told('visitor_send')
    await loser.must('staff_msg', { room: bens, content: { text: 'Profile, then e-mail. Anything else?' } })
    await ben.told('staff_send')

    title('The desk empties')
    await mia.must('visitor_leave_room')
    await sofia.told('visitor_leave')
    await ben.must('visitor_leave_room')
    await anonymous.must('visitor_leave_room')
    await sofia.told('visitor_leave_queue')
    return room
  } finally {
    for (const one of everybody) one.close()
    line.close()
  }
}
