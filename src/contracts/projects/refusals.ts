import type { Refusals } from '../../delivery/refusals.ts'

/** What is refused about projects, on sockets and over HTTP. */
export const projectRefusals = {
  'bad-file': [400, 'file: {why}'],
  'bad-ticket': [401, 'this ticket is not good (any more): ask for another one'],
  'files-unavailable': [503, 'files cannot be written or read at the moment: try again'],
  'no-such-file': [404, 'this message has no file'],
  'no-such-message': [404, 'there is no message with this id in this project'],
  'no-such-participant': [404, 'this user takes no part in the project: add them first'],
  'no-such-project': [404, 'there is no project with this id'],
  'no-such-user': [404, 'there is no user with this number in your organisation'],
  'not-a-participant': [403, 'forbidden: this project is for its participants'],
  'not-the-sender': [403, 'forbidden: sender_id is not your number, which is {number}: leave it out'],
  'owner-only': [403, 'forbidden: only the owner of the project may do this'],
  'owner-or-coach-only': [403, 'forbidden: only the owner and the coach of the project may do this'],
  'owner-stays': [409, 'the owner stays in the project: delete it, or leave them in'],
  'project-exists': [409, 'there is a project with this id already'],
  'project-full': [409, 'a project has at most {most} participants'],
  'too-many-streams': [429, 'you have {most} open streams already: close some of them, or try again in {seconds} s'],
  'visitors-have-none': [403, 'forbidden: projects are for everybody of the organisation but visitors'],
} as const satisfies Refusals
