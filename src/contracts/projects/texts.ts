/**
 * What people are told of a project, letter for letter as the document has it: its spelling, its grammar and its
 * missing spaces are what clients show, and compare.
 */
export const texts = {
  added: (title: string) => `You was added into the project '${title}'.`,
  newParticipant: (username: string, title: string) =>
    `The new participant '@${username}' was added into the project '${title}'.`,
  deleted: (title: string, owner: string) => `The project '${title}' was removed by '@${owner}'.`,
  retitled: (older: string, title: string) => `The title's project '${older}' become the new tilte '${title}'.`,
  left: (username: string, title: string) => `'@${username}' left the project'${title}'.`,
  designated: (title: string) => `You was designated new coach in the project '${title}'.`,
  newCoach: (username: string, title: string) => `'@${username}' was designated new coach in the project '${title}'.`,
  withdrawn: (title: string) => `You was withdrew from coach in the project '${title}'.`,
  coachWithdrawn: (username: string, title: string) =>
    `'@${username}' was withdrew from coach, he will be a participant the project'${title}'.`,
  removed: (title: string) => `You was removed in the project '${title}'.`,
  participantRemoved: (username: string, title: string) => `'@${username}' was removed in the project '${title}'.`,
} as const
