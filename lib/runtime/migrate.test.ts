import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { migrate, readMigrations, verifyMigrated, type MigrationStore } from './migrate.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'migrations-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function storeInMemory(): MigrationStore & { ran: string[] } {
  const done: { name: string; checksum: string }[] = []
  const ran: string[] = []
  return {
    ran,
    applied: async () => done,
    run: async (statement) => void ran.push(statement),
    record: async ({ name, checksum }) => void done.push({ name, checksum }),
  }
}

test('applies what is missing, in order, once; fills in placeholders', async () => {
  writeFileSync(join(folder, '0002_b.sql'), 'b;\n')
  writeFileSync(join(folder, '0001_a.sql'), '-- why\na {engine};\na2;\n')
  const store = storeInMemory()
  const migrations = readMigrations(folder, { engine: 'X' })
  expect(await migrate(store, migrations)).toEqual(['0001_a.sql', '0002_b.sql'])
  expect(store.ran).toEqual(['a X', 'a2', 'b'])
  expect(await migrate(store, migrations)).toEqual([])
})

test('refuses an edited, a vanished and a doubly numbered migration, and says which', async () => {
  writeFileSync(join(folder, '0001_a.sql'), 'a;\n')
  const store = storeInMemory()
  await migrate(store, readMigrations(folder))
  writeFileSync(join(folder, '0001_a.sql'), 'a changed;\n')
  await expect(migrate(store, readMigrations(folder))).rejects.toThrow('0001_a.sql was edited')
  rmSync(join(folder, '0001_a.sql'))
  writeFileSync(join(folder, '0002_b.sql'), 'b;\n')
  await expect(migrate(store, readMigrations(folder))).rejects.toThrow(
    '0001_a.sql was applied and its file is gone',
  )
  writeFileSync(join(folder, '0001_x.sql'), '')
  writeFileSync(join(folder, '0001_y.sql'), '')
  expect(() => readMigrations(folder)).toThrow('number 0001')
})

test('a store that is behind is refused, not migrated, by those who do not own it', async () => {
  writeFileSync(join(folder, '0001_a.sql'), 'a;\n')
  await expect(verifyMigrated(storeInMemory(), readMigrations(folder))).rejects.toThrow(
    'run npm run migrate',
  )
})

test('a release starts beside a store that a later one has migrated, and does not take it over', async () => {
  writeFileSync(join(folder, '0001_a.sql'), 'a;\n')
  writeFileSync(join(folder, '0003_c.sql'), 'c;\n')
  const store = storeInMemory()
  await migrate(store, readMigrations(folder))
  rmSync(join(folder, '0003_c.sql'))
  await verifyMigrated(store, readMigrations(folder))
  await expect(migrate(store, readMigrations(folder))).rejects.toThrow(
    'was migrated by a later release (0003_c.sql), and this one cannot own it',
  )
  // What lies before a known one is no later release's.
  writeFileSync(join(folder, '0004_d.sql'), 'd;\n')
  await expect(verifyMigrated(store, readMigrations(folder))).rejects.toThrow('0003_c.sql')
})
