import { availableParallelism } from 'node:os'
import { configDefaults, defineConfig } from 'vitest/config'

/** Servers of job systems that are installed and run: `docs/launchers.md`. */
const realServers = (process.env['E2E_REAL'] ?? '').split(',')

/**
 * Needs root and loop devices: `npm run test:power-loss`. Needs root, buildah, helm and more: `npm
 * run test:deploy`.
 */
const withheld = [
  ...(process.env['POWER_LOSS'] === 'yes' ? [] : ['test/power-loss/**']),
  ...(process.env['DEPLOY'] === 'yes' ? [] : ['test/deploy/**']),
  ...(realServers.includes('prefect') ? [] : ['test/real/prefect.test.ts']),
]

// oxlint-disable-next-line import/no-default-export -- vitest reads it so
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        // Plain functions, most of them: files share a process, which spares a start for each.
        test: {
          name: 'beside the code',
          include: ['{lib,services,schemas,examples,dashboards,scripts}/**/*.test.ts'],
          isolate: false,
        },
      },
      {
        extends: true,
        // Each has an engine of its own, and ends it.
        test: { name: 'integration', include: ['test/integration/**/*.test.ts'], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'test',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, 'test/integration/**', ...withheld],
        },
      },
    ],
    // Node loads the modules itself, as it does in production, and keeps what it compiled.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // Threads crash with chDB, and a process can hold one data directory: each file is a process of
    // its own.
    pool: 'forks',
    globalSetup: ['./test/temporary-files.ts'],
    setupFiles: ['./test/each-file.ts'],
    // One more than cores: the longest files wait most of their time, for sessions, time limits and
    // processes that start.
    maxWorkers: availableParallelism() + 1,
    // What only a test that hangs exceeds: every test waits for conditions, on slow machines too.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ['default', './test/closing-line.ts'],
  },
})
