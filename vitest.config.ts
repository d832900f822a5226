import { defineConfig } from 'vitest/config'

// oxlint-disable-next-line import/no-default-export -- vitest reads it so
export default defineConfig({
  test: {
    include: ['{lib,services,schemas,examples,dashboards,scripts,test}/**/*.test.ts'],
    // Threads crash with chDB, and a process can hold one data directory: each file is a process of its own.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', './test/closing-line.ts'],
  },
})
