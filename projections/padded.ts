/** A position of the log as a text whose order is that of the log. */
export const padded = (position: bigint): string => String(position).padStart(20, '0')
