/**
 * Writes down what clients really send: `node record.ts URL_OF_THE_PORT FILE` listens on
 * 127.0.0.1:8124, passes every request on, and writes the statements to the file in the form of
 * `recorded.json`. Then run `ask.py` and `Ask.java` beside it.
 */
import { writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage } from 'node:http'

const [target = '', file = ''] = process.argv.slice(2)
const OF_NO_MEANING = ['query', 'query_id', 'session_id', 'client_protocol_version']
const seen = new Map<string, { client: string; sql: string; url: string }>()

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function write(path: string, agent: string, body: string): void {
  const { searchParams } = new URL(path, target)
  const sql = searchParams.get('query') ?? body
  if (sql === '') return
  for (const name of OF_NO_MEANING) searchParams.delete(name)
  const client = agent.includes('JDBC') ? 'JDBC' : agent.split('/')[0]!
  seen.set(`${client} ${sql}`, { client, sql, url: searchParams.toString() })
  const lines = [...seen.values()].map((entry) => `  ${JSON.stringify(entry)}`)
  writeFileSync(file, `[\n${lines.join(',\n')}\n]\n`)
}

createServer((asked, answer) => {
  void bodyOf(asked).then((body) => {
    const { method, url: path = '/', headers } = asked
    write(path, headers['user-agent'] ?? '', body.toString())
    const { hostname, port, host } = new URL(target)
    request({ hostname, port, method, path, headers: { ...headers, host } }, (theirs) => {
      answer.writeHead(theirs.statusCode!, theirs.headers)
      theirs.pipe(answer)
    }).end(body)
  })
}).listen(8124, '127.0.0.1')
