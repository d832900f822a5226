/** Runs before each file of tests. A hook that is registered within a hook is never called. */
import { afterAll } from 'vitest'
import { endAll } from './at-end.ts'

afterAll(endAll)
