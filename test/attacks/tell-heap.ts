// Loaded into a server before its own code (`node --import`): writes down what its heap holds, which no other process
// can see. The server itself knows nothing of it.
import { writeFileSync } from 'node:fs'

const file = process.env.HEAP_FILE
if (file !== undefined) setInterval(() => writeFileSync(file, String(process.memoryUsage().heapUsed)), 1_000).unref()
