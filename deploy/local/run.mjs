// Runs a program on the project's own Node 24 with what must be set before a process starts: a
// thread pool with room for every embedded ClickHouse connection beside the file system, and memory
// outside V8's heap counted like memory in it. Otherwise every 64 MiB of it, a fetch from Kafka
// say, make V8 mark its whole heap: a tenth of what an event costs. Counted so, it may grow by half
// of what is alive until V8 looks again; left to itself V8 lets a gigabyte gather.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const node = join(root, 'node_modules', 'node', 'bin', 'node')
const flags = [
  '--disable-warning=ExperimentalWarning',
  '--external-memory-accounted-in-global-limit',
  '--heap-growing-percent=50',
]
const child = spawn(node, [...flags, ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: {
    UV_THREADPOOL_SIZE: '24',
    // Compiled modules are kept: a start costs 0.8 CPU seconds in place of 1.3.
    NODE_COMPILE_CACHE: join(root, '.local', 'compile-cache'),
    ...process.env,
  },
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(signal ? 128 : (code ?? 1)))
