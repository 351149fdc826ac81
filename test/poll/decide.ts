import { type Command, type Decision, refuse, unreachable } from '../../machines/kernel.ts'
import { type PollEvent, type PollState, pollEvents, pollMachine } from './machine.ts'

export type PollCommand =
  | (Command & { readonly type: 'OpenPoll'; readonly question: string; readonly options: readonly string[] })
  | (Command & { readonly type: 'Vote'; readonly option: number })
  | (Command & { readonly type: 'ClosePoll' })

function decide(state: PollState, command: PollCommand): Decision<PollEvent> {
  const { by } = command
  const { org, openedBy, options, votes } = state.context
  if (command.type === 'OpenPoll') {
    if (by.role !== 'teacher') return refuse('teachers-only')
    if (!state.matches('unopened')) return refuse('poll-exists')
    return [{ type: 'PollOpened', org: by.org, question: command.question, options: command.options, by: by.id }]
  }
  if (state.matches('unopened') || org !== by.org) return refuse('no-such-poll')
  switch (command.type) {
    case 'Vote': {
      if (state.matches('closed')) return refuse('poll-closed')
      if (command.option >= options.length) return refuse('no-such-option')
      const was = votes[by.id] ?? null
      return was === command.option ? [] : [{ type: 'VoteCast', voterId: by.id, option: command.option, was }]
    }
    case 'ClosePoll':
      if (by.id !== openedBy) return refuse('own-poll-only')
      return state.matches('closed') ? [] : [{ type: 'PollClosed' }]
    default:
      return unreachable(command)
  }
}

/** The line for `machines/catalogue.ts`. */
export const pollKinds = { poll: { machine: pollMachine, decide, events: pollEvents } }

declare module '../../machines/catalogue.ts' {
  interface MoreKinds {
    readonly poll: (typeof pollKinds)['poll']
  }
}
