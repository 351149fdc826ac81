import type { Server, Socket } from 'socket.io'
import type { Party } from '../../../machines/kernel.ts'
import { courseRoom } from '../../gateway/sockets/outlet.ts'
import type { Watchers } from './watchers.ts'

/** One socket's wish to watch one course. */
export interface Watch {
  readonly course: string
  readonly socket: Socket
  readonly party: Party
  /** The revision of the course that says that they may; null while that is being found out. */
  since: number | null
  /** The last revision by which they were taken out of the course, as this node has heard. */
  withdrawn: number
}

/**
 * Who watches which course, and who is about to: until it is known whether somebody may, they may already be taken out
 * again.
 */
export interface CourseWatchers extends Watchers {
  /** Undefined when the socket is gone. Twice is the same watch. */
  begin(course: string, socket: string, party: Party): Watch | undefined
  /** They may, says the course's revision `since`. False when they do not want to any more, or are gone. */
  enter(watch: Watch, since: number): boolean
  end(course: string, socket: string): void
}

export function courseWatchers(io: Server, withdrawn: (watch: Watch) => void): CourseWatchers {
  const { sockets } = io.of('/')
  /** By course, then by socket. */
  const courses = new Map<string, Map<string, Watch>>()
  const coursesOf = new Map<string, Set<string>>()

  const end = (course: string, id: string): void => {
    const watching = courses.get(course)
    const watch = watching?.get(id)
    if (!watching || !watch) return
    void watch.socket.leave(courseRoom(course)) // the in-memory adapter leaves at once
    watching.delete(id)
    if (watching.size === 0) courses.delete(course)
    coursesOf.get(id)?.delete(course)
  }

  const heed = (socket: Socket): Set<string> => {
    const known = coursesOf.get(socket.id)
    if (known) return known
    const its = new Set<string>()
    coursesOf.set(socket.id, its)
    socket.once('disconnect', () => {
      for (const course of its) end(course, socket.id)
      coursesOf.delete(socket.id)
    })
    return its
  }

  return {
    begin(course, id, party) {
      const socket = sockets.get(id)
      if (!socket?.connected) return undefined
      const watching = courses.get(course) ?? new Map<string, Watch>()
      const watch = watching.get(id) ?? { course, socket, party, since: null, withdrawn: -1 }
      courses.set(course, watching.set(id, watch))
      heed(socket).add(course)
      return watch
    },
    enter(watch, since) {
      if (courses.get(watch.course)?.get(watch.socket.id) !== watch) return false
      watch.since = since
      void watch.socket.join(courseRoom(watch.course)) // the in-memory adapter joins at once
      return true
    },
    end,
    withdraw(course, role, id, seq) {
      for (const watch of [...(courses.get(course)?.values() ?? [])]) {
        if (watch.party.id !== id || watch.party.role !== role) continue
        watch.withdrawn = seq
        if (watch.since === null || watch.since >= seq) continue // it is looked into, or was after this
        end(course, watch.socket.id)
        withdrawn(watch)
      }
    },
  }
}
