/**
 * For ioredis's `reconnectOnError`. After a fail-over the name of a Redis leads to the new primary, while what was the
 * primary keeps its connections and refuses writes: whoever stays on one of them is refused for ever.
 */
export const isOnReplica = ({ message }: Error): boolean => message.includes('READONLY')
