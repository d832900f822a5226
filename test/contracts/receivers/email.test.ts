/** Mail by a real SMTP server. */
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { expect, test } from 'vitest'
import type { ReceiverOf } from '../../../schemas/alerts-file.ts'
import { atEnd } from '../../at-end.ts'
import { certificateAuthority } from '../../servers/certificates.ts'
import { temporaryDirectory } from '../../harness.ts'
import { message, sendParts, told } from './told.ts'

const authority = certificateAuthority(temporaryDirectory(), 'mail')
const signed = authority.sign('mail-server')
const pem = (path: string) => readFileSync(path, 'utf8')
const trusted = { tls: { ca: pem(authority.ca) } }

/** A mail server, and the mails that it has taken. */
async function mailServer(options: SMTPServerOptions) {
  const mails: { to: string[]; text: string; secure: boolean; user: unknown }[] = []
  const server = new SMTPServer({
    ...{ key: pem(signed.key), cert: pem(signed.cert), authOptional: true },
    onAuth: ({ username, password }, _, done) =>
      password === 'right'
        ? done(null, { user: username })
        : done(Object.assign(new Error('Authentication failed'), { responseCode: 535 })),
    onData: (stream, { envelope, secure, user }, done) => {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      stream.on('end', () => {
        const to = envelope.rcptTo.map(({ address }) => address)
        mails.push({ to, text, secure, user })
        done()
      })
    },
    ...options,
  })
  // A client that does not trust the server ends the connection: that is no failure of the server.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
  atEnd(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { mails, port: (server.server.address() as AddressInfo).port }
}

const receiver = (port: number, more: Partial<ReceiverOf<'email'>> = {}): ReceiverOf<'email'> => ({
  ...{ name: 'm', kind: 'email', host: '127.0.0.1', port, timeout: '5s' },
  ...{ from: 'plumbline@example.com', to: ['ann@example.com', 'bob@example.com'] },
  ...more,
})
const parts = sendParts({ PASSWORD: 'right', WRONG: 'wrong' })

test('a mail goes over STARTTLS to all, after a login, and says what is wrong', async () => {
  const { port, mails } = await mailServer({})
  const login = { user: 'plumbline', password: 'secret://env/PASSWORD' }
  const outcome = await told(parts, receiver(port, login), message(), trusted)
  expect(outcome).toMatchObject({ kind: 'delivered', answer: expect.stringMatching(/^250 /) })
  expect(mails).toMatchObject([
    { to: ['ann@example.com', 'bob@example.com'], secure: true, user: 'plumbline' },
  ])
  const text = mails[0]!.text.replaceAll('=\r\n', '')
  expect(text).toContain('Subject: firing: fraud: accuracy is down from 0.9 to 0.8')
  expect(text).toContain('Auto-Submitted: auto-generated')
  expect(text).toContain('Page: https://plumbline.example/models/fraud')
  expect(/^Message-ID: <delivery-\d+@plumbline\.invalid>/m.test(text)).toBe(true)
})

test('TLS from the first byte, and no mail to a server whose certificate is not trusted', async () => {
  const { port, mails } = await mailServer({ secure: true })
  const encrypted = receiver(port, { security: 'tls' })
  expect(await told(parts, encrypted, message())).toMatchObject({ kind: 'failed' })
  expect(mails).toEqual([])
  expect(await told(parts, encrypted, message(), trusted)).toMatchObject({ kind: 'delivered' })
  const plain = await mailServer({ hideSTARTTLS: true, disabledCommands: ['STARTTLS'] })
  expect(await told(parts, receiver(plain.port), message(), trusted)).toMatchObject({
    kind: expect.stringMatching(/failed|refused/),
  })
  expect(plain.mails).toEqual([])
  const open = receiver(plain.port, { security: 'none' })
  expect(await told(parts, open, message())).toMatchObject({ kind: 'delivered' })
})

test('a title cannot add a header, a line of a text cannot end the mail', async () => {
  const { port, mails } = await mailServer({})
  const hostile = message({
    title: 'a\r\nBcc: eve@example.com\r\n\r\nhello',
    text: '<b>x</b>\r\n.\r\nMAIL FROM:<eve@example.com>\r\n',
  })
  expect(await told(parts, receiver(port), hostile, trusted)).toMatchObject({ kind: 'delivered' })
  expect(mails).toHaveLength(1)
  expect(mails[0]!.to).not.toContain('eve@example.com')
  const [headers] = mails[0]!.text.split('\r\n\r\n')
  expect(headers).toContain('Subject: a Bcc: eve@example.com')
  expect(headers).not.toMatch(/^Bcc:/m)
})

test('5xx refuses for good, 4xx may pass, one recipient that is refused is told', async () => {
  let refusal = 550
  const { port, mails } = await mailServer({
    onRcptTo: ({ address }, _, done) =>
      address.startsWith('bob')
        ? done(Object.assign(new Error('No such user'), { responseCode: refusal }))
        : done(),
  })
  expect(await told(parts, receiver(port), message(), trusted)).toMatchObject({
    kind: 'delivered',
    answer: expect.stringContaining('; not taken for bob@example.com'),
  })
  expect(mails).toHaveLength(1)
  const bob = receiver(port, { to: ['bob@example.com'] })
  expect(await told(parts, bob, message(), trusted)).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('No such user'),
  })
  refusal = 451
  expect(await told(parts, bob, message(), trusted)).toMatchObject({ kind: 'failed' })
  const wrong = receiver(port, { user: 'plumbline', password: 'secret://env/WRONG' })
  expect(await told(parts, wrong, message(), trusted)).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('Authentication failed'),
  })
})

test('a server that says one letter after another is given up in time', async () => {
  const slow = createServer((socket) => {
    socket.on('error', () => {})
    const timer = setInterval(() => socket.write('2'), 50)
    socket.on('close', () => clearInterval(timer))
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  atEnd(() => slow.close())
  const { port } = slow.address() as AddressInfo
  expect(await told(parts, receiver(port, { timeout: '1s' }), message())).toMatchObject({
    kind: 'failed',
    why: expect.stringMatching(/timeout|Greeting/i),
  })
})

test('no connection is made to a mail server that may not be reached', async () => {
  const away = receiver(25, { host: '10.0.0.1' })
  expect(await told(parts, away, message())).toMatchObject({
    kind: 'refused',
    why: expect.stringContaining('10.0.0.1 is a private address'),
  })
})
