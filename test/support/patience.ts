/**
 * After so long a test gives up waiting for a fact. It is no statement about speed: it must be long enough for a
 * machine that has ten times too much to do, and ends a test that would otherwise hang.
 */
export const PATIENCE_MS = 60_000
