import { type Party, type Refusal, refuse } from '../../../machines/kernel.ts'
import { notAParticipant } from '../../../machines/project/decide.ts'
import type { Project } from '../../../machines/project/machine.ts'
import type { Entities } from '../../runtime/entities.ts'

/** A project at one revision. */
export interface ProjectAt extends Project {
  readonly number: number
  readonly seq: number
}

/** Looks projects up in their own entities, for those who may see them. */
export interface ProjectAccess {
  /** For its participants. */
  ofParticipant(number: number, by: Party): Promise<ProjectAt | Refusal>
  /** For its participants, and admins of its organisation. */
  visible(number: number, by: Party): Promise<ProjectAt | Refusal>
}

export function projectAccess(entities: Pick<Entities, 'judged'>): ProjectAccess {
  const look = async (number: number, by: Party, toAdmins: boolean): Promise<ProjectAt | Refusal> => {
    if (by.role === 'visitor') return refuse('visitors-have-none')
    return entities.judged('project', String(number), ({ revision: seq, state }) => {
      const no = notAParticipant(state, by)
      if (no && !(toAdmins && by.role === 'admin' && no.code === 'not-a-participant')) return no
      return { ...state.context, number, seq }
    })
  }
  return {
    ofParticipant: (number, by) => look(number, by, false),
    visible: (number, by) => look(number, by, true),
  }
}
