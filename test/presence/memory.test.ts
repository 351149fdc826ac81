import { memoryLeases } from '../../src/presence/memory.ts'
import { leasesSuite } from './suite.ts'

leasesSuite('memory', async () => memoryLeases())
