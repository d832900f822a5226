/**
 * A test double of an endpoint in the shape of OpenAI's chat completions: no language model can be
 * had here. It answers what a test tells it to, as well or as badly.
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { atEnd } from '../at-end.ts'

/** A request as the double got it. */
export interface JudgeRequest {
  path: string
  authorization: string | undefined
  body: {
    model?: string
    messages: { role: string; content: string }[]
    max_tokens?: number
    response_format?: object
  }
}

/** How the double answers; what it does not end stays open. */
export type JudgeReply = (request: JudgeRequest, response: ServerResponse) => void

export interface JudgeDouble {
  /** What stands before `/chat/completions`. */
  url: string
  requests: JudgeRequest[]
  /** Requests that are open now, and the most that were at once. */
  open: { now: number; most: number }
  /** What it answers from now on. */
  reply: JudgeReply
}

/** The texts between the marks of a prompt, by field. */
export const dataOf = ({ body }: JudgeRequest): Record<string, unknown> =>
  Object.fromEntries(
    [...body.messages.at(-1)!.content.matchAll(/<data field="([^"]*)">\n([^]*?)\n<\/data>/g)].map(
      ([, field, json]) => [field, JSON.parse(json!) as unknown],
    ),
  )

/** An answer with this text, and tokens. */
export const completion = (content: string, usage: object | undefined = TOKENS): string =>
  JSON.stringify({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    ...(usage && { usage }),
  })
const TOKENS = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 }

/** Answers each request with a label. */
export const labels =
  (labelOf: (request: JudgeRequest) => string | number): JudgeReply =>
  (request, response) =>
    void response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(completion(JSON.stringify({ comment: 'because', label: labelOf(request) })))

/** Answers each request with this status and text. */
export const says =
  (status: number, text: string, headers: Record<string, string> = {}): JudgeReply =>
  (_request, response) =>
    void response.writeHead(status, headers).end(text)

/** Starts a double on a free port; it ends with the file's tests. */
export async function judgeDouble(reply: JudgeReply): Promise<JudgeDouble> {
  const double: JudgeDouble = { url: '', requests: [], open: { now: 0, most: 0 }, reply }
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      const { open, requests } = double
      open.most = Math.max(open.most, ++open.now)
      response.on('close', () => open.now--)
      const got = {
        path: request.url ?? '',
        authorization: request.headers.authorization,
        body: JSON.parse(text) as JudgeRequest['body'],
      }
      requests.push(got)
      double.reply(got, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  double.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return double
}
