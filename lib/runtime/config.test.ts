import Type from 'typebox'
import { expect, test } from 'vitest'
import { ConfigError, readConfig } from './config.ts'

const Schema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65535, default: 80 }),
  HOST: Type.String(),
  LEVEL: Type.Enum(['a', 'b'], { default: 'a' }),
})

test('coerces, fills in defaults, and takes an empty string for unset', () => {
  expect(readConfig(Schema, { PORT: '8080', HOST: 'h', LEVEL: '', OTHER: 'x' })).toEqual({
    PORT: 8080,
    HOST: 'h',
    LEVEL: 'a',
  })
})

test('tells every problem at once', () => {
  const error = (() => {
    try {
      return readConfig(Schema, { PORT: '70000', LEVEL: 'c' })
    } catch (e) {
      return e
    }
  })() as ConfigError
  expect(error).toBeInstanceOf(ConfigError)
  expect(error.problems).toHaveLength(3)
})
