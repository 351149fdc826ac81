import { measureSlowness } from './slowness.ts'

// Vitest runs this before each test file of the project `real`: a machine is not equally busy during a whole run.
await measureSlowness()
