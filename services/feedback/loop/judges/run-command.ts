/** Runs the command of a judge: the request on its standard input, the answer on its output. */
import { spawn } from 'node:child_process'
import { printable } from '../../../../lib/http/outgoing/refusals.ts'

/** A request that was not made: it has cost nothing. */
export class NotSent extends Error {}

/** Characters of what it writes on standard error that are kept, the last ones. */
const STDERR_KEPT = 300

/**
 * Runs a command without a shell and with none of our environment, as a group of its own that ends
 * with the signal.
 *
 * @param maxBytes of the output; a longer one is cut behind one byte more
 * @returns what it wrote on standard output
 * @throws {NotSent} where it does not start
 * @throws {Error} where it fails or is ended
 */
export function runCommand(
  [file = '', ...args]: readonly string[],
  input: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      shell: false,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: '/usr/local/bin:/usr/bin:/bin' },
    })
    const chunks: Buffer[] = []
    let size = 0
    let stderr = ''
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    signal.addEventListener('abort', end, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      if (size > maxBytes) return
      chunks.push(chunk)
      size += chunk.length
      if (size > maxBytes) end()
    })
    child.stderr.on(
      'data',
      (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-STDERR_KEPT)),
    )
    // A command that reads nothing closes its input early.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.once('error', (error) => {
      signal.removeEventListener('abort', end)
      reject(new NotSent(`the command did not start: ${error.message}`))
    })
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', end)
      const text = Buffer.concat(chunks)
        .subarray(0, maxBytes + 1)
        .toString()
      if (code === 0 || size > maxBytes) resolve(text)
      else
        reject(new Error(`the command ended with ${killedBy ?? code}: ${printable(stderr).trim()}`))
    })
  })
}
