import type { Heard } from './wire.ts'

/** Everything that whoever asked can see of an answer. */
export const exactly = ({ status, headers, body }: Heard): string => `${status} ${JSON.stringify(headers)} ${body}`
