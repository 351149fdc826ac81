import { type Audience, personRoom, type RoomName, STREAMS } from '../../delivery/notice.ts'

/** Of the document. */
export const NAMESPACE = '/ws/messages'

const PROJECT = 'project_room '

/** Every socket that has joined the project. */
export const projectRoom = (number: number): RoomName => `${PROJECT}${number}`

/** The project whose room this is. */
export const projectIn = (room: string): readonly number[] =>
  room.startsWith(PROJECT) ? [Number(room.slice(PROJECT.length))] : []

/** Of these two, the sockets that have joined. */
export const pairRoom = (number: number, id: string): RoomName => `project_person ${number} ${id}`

export const toProject = (number: number): Audience => ({
  kind: 'project',
  room: projectRoom(number),
  namespace: NAMESPACE,
})

/** The sockets of one participant that have joined. */
export const toJoined = (number: number, id: string): Audience => ({
  kind: 'participant',
  room: pairRoom(number, id),
  namespace: NAMESPACE,
})

/** The open streams of a person. */
export const toStreams = (org: string, id: string): Audience => ({
  kind: 'person',
  room: personRoom({ org, id }),
  namespace: STREAMS,
})
