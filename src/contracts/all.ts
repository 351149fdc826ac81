import type { Contract } from '../delivery/contract.ts'
import { accounts } from './accounts/contract.ts'
import { attendance } from './attendance/contract.ts'
import { courses } from './courses/contract.ts'
import { lessons } from './lessons/contract.ts'
import { presence } from './presence/contract.ts'
import { projects } from './projects/contract.ts'
import { supportChat } from './support-chat/contract.ts'

/** Every contract that this release serves. On arrival a client is told in this order. */
export const all: readonly Contract[] = [presence, lessons, supportChat, attendance, accounts, courses, projects]
