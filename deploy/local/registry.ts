/** A local schema registry: Apicurio, its data in memory, on loopback. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { ended } from './child-process.ts'
import { freePort } from './kafka.ts'

const FOLDER = fileURLToPath(new URL('../../.local/registry', import.meta.url))
const JAR = 'apicurio-registry-app-3.0.9-runner.jar'
const START_TIMEOUT_MS = 240_000

export interface LocalRegistry {
  /** Address for clients that speak Confluent's API. */
  url: string
  stop: () => Promise<void>
}

/** @param onPort 0 takes a free one */
export async function startRegistry(onPort = 0): Promise<LocalRegistry> {
  if (spawnSync('java', ['-version']).status !== 0)
    throw new Error(
      'Java 17 or newer is not installed (Debian: apt-get install openjdk-17-jre-headless)',
    )
  if (!existsSync(`${FOLDER}/${JAR}`))
    throw new Error(
      'the schema registry is not fetched: install Maven (Debian: apt-get install maven) and run node deploy/local/setup.mjs --registry',
    )
  const port = onPort || (await freePort())
  const child = spawn(
    'java',
    [
      '-Xmx256m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      '-Dquarkus.http.host=127.0.0.1',
      `-Dquarkus.http.port=${port}`,
      '-jar',
      JAR,
    ],
    { cwd: FOLDER, stdio: 'ignore' },
  )
  const stop = async () => void (await ended(child, 'SIGKILL'))
  process.once('exit', () => child.kill('SIGKILL'))
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).then(
      (r) => r.ok,
      () => false,
    )
    if (ready) return { url: `http://127.0.0.1:${port}/apis/ccompat/v7`, stop }
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(
        `the schema registry did not become ready within ${START_TIMEOUT_MS / 1000} s`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
