/** Those of this node's clients who watch courses. */
export interface Watchers {
  /**
   * This person is no student, or no teacher, of the course any more, by the event `seq` of its stream: their sockets
   * stop watching.
   */
  withdraw(course: string, role: 'student' | 'teacher', id: string, seq: number): void
}
