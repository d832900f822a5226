/**
 * Runs a broker once and keeps what makes the next starts fast: the archive of its classes and the
 * folder that `kafka-storage format` makes.
 */
import { cpSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLASSES, FORMATTED, startKafka } from './kafka.ts'

// An archive of other files keeps Java from making one.
rmSync(CLASSES, { force: true })
const directory = mkdtempSync(join(tmpdir(), 'plumbline-kafka-'))
try {
  const archive = join(directory, 'classes.jsa')
  const kafka = await startKafka({
    directory,
    extra: { javaOptions: [`-XX:ArchiveClassesAtExit=${archive}`] },
  })
  await kafka.stop()
  const data = join(directory, 'data')
  // Properties last: a folder without it is not taken.
  for (const file of ['bootstrap.checkpoint', 'meta.properties'])
    cpSync(join(data, file), join(FORMATTED, file))
  cpSync(archive, `${CLASSES}.new`)
  renameSync(`${CLASSES}.new`, CLASSES)
} catch (error) {
  // A Java machine without an archive of its own makes none: starts take twice as long there.
  console.error(`starts of Kafka stay slow: ${(error as Error).message}`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
