import { expect, test } from 'vitest'
import { addressProblem, parseAllowed } from './address-rules.ts'

const NOTHING = parseAllowed('')
const may = (address: string, allowed = NOTHING) => addressProblem(address, allowed) === undefined

test.each([
  '8.8.8.8',
  '1.1.1.1',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '64:ff9b::808:808',
])('%s is public', (address) => expect(may(address)).toBe(true))

test.each([
  '127.0.0.1',
  '127.9.9.9',
  '0.0.0.0',
  '10.0.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.1.1',
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  'fe80::1',
  'fe80::1%eth0',
  'fd12:3456::1',
  'fd00:ec2::254',
  'ff02::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b::a9fe:a9fe',
  '2002:a00:1::1',
  '2001:0:53aa:64c::1',
  'localhost',
  '',
])('%s is not', (address) => expect(may(address)).toBe(false))

test('loopback and private networks are opened by their names, and what tells secrets by none', () => {
  const local = parseAllowed('loopback')
  expect(['127.0.0.1', '::1', '::ffff:127.0.0.1'].every((a) => may(a, local))).toBe(true)
  expect(may('10.0.0.1', local)).toBe(false)
  const open = parseAllowed('loopback, private,0.0.0.0/0, ::/0')
  expect(['10.0.0.1', 'fd12::1', '169.254.1.1', '127.0.0.1'].every((a) => may(a, open))).toBe(true)
  for (const address of [
    '169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '::ffff:169.254.169.254',
  ])
    expect(may(address, open), address).toBe(false)
  expect(may('fd00:0ec2::254', parseAllowed('fd00:ec2::254'))).toBe(true)
  expect(may('169.254.169.254', parseAllowed('169.254.169.254'))).toBe(true)
})

test('a network opens what is in it alone', () => {
  const allowed = parseAllowed('10.1.0.0/16')
  expect(may('10.1.255.1', allowed)).toBe(true)
  expect(may('::ffff:10.1.0.1', allowed)).toBe(true)
  expect(may('10.2.0.1', allowed)).toBe(false)
})

test.each(['localhost', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', '*'])(
  '%s is no part of the setting',
  (part) => expect(() => parseAllowed(`loopback,${part}`)).toThrow(part),
)
