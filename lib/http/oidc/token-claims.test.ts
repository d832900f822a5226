import { expect, test } from 'vitest'
import { callerOfClaims } from './token-claims.ts'

const rules = { nameClaim: 'sub', rolesClaim: 'roles', rolePrefix: '' }
const scopesBy = (claims: object, more: Partial<typeof rules> = {}) => {
  const caller = callerOfClaims({ sub: 'ann', ...claims }, { ...rules, ...more })
  return 'scopes' in caller ? [...caller.scopes].toSorted() : caller
}

test('roles are a list, words, or lie in an object; a name with points goes first', () => {
  expect(scopesBy({ roles: ['analyst', 'emitter'] })).toEqual(['emit', 'read'])
  expect(scopesBy({ roles: 'analyst openid' })).toEqual(['read'])
  const nested = { realm_access: { roles: ['reviewer'] } }
  expect(scopesBy(nested, { rolesClaim: 'realm_access.roles' })).toEqual(['review'])
  expect(scopesBy({ 'https://x.y/r': ['admin'] }, { rolesClaim: 'https://x.y/r' })).toHaveLength(5)
})

test('what is no role of ours allows nothing', () => {
  for (const roles of [undefined, null, 7, {}, [7, null], ['Admin'], ['toString'], '__proto__'])
    expect(scopesBy({ roles })).toEqual([])
  expect(scopesBy({ roles: ['admin', 'x-analyst'] }, { rolePrefix: 'x-' })).toEqual(['read'])
  expect(scopesBy({}, { rolesClaim: 'constructor.name' })).toEqual([])
})

test('an e-mail address names its owner once it is verified', () => {
  const byMail = (more: object) => scopesBy({ email: 'a@b.c', ...more }, { nameClaim: 'email' })
  expect(byMail({})).toMatchObject({ reason: 'no_name' })
  expect(byMail({ email_verified: 'true' })).toMatchObject({ reason: 'no_name' })
  expect(byMail({ email_verified: true })).toEqual([])
})
