/** Whether `a` stands behind `b` in the log; null = before the first event. */
export const later = (a: bigint | null, b: bigint | null): boolean => a !== null && (b === null || a > b)
