/** Slack-compatible incoming webhooks: a header, the text, and links (Block Kit). Pure. */
import { firstLetters } from '../decide/letters.ts'
import type { Message } from '../decide/messages.ts'
import { escaped, linksOf, type AlertRequest } from './request.ts'

/** Characters that a header and a section take. */
const MAX_HEADER = 150
const MAX_SECTION = 3000

/**
 * The request that tells a channel. Nothing of the message is markup: `&`, `<` and `>` are escaped,
 * so it mentions nobody and links nowhere.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackRequest(url: string, message: Message): AlertRequest {
  const { title, text } = message
  const links = linksOf(message).map(([name, to]) => `<${escaped(to, 1000)}|${name}>`)
  return {
    method: 'POST',
    url,
    headers: {},
    body: {
      text: escaped(title, MAX_SECTION),
      blocks: [
        {
          type: 'header',
          text: { type: 'plain_text', text: firstLetters(title, MAX_HEADER), emoji: false },
        },
        {
          type: 'section',
          text: { type: 'mrkdwn', text: escaped(text, MAX_SECTION), verbatim: true },
        },
        ...(links.length === 0
          ? []
          : [{ type: 'context', elements: [{ type: 'mrkdwn', text: links.join(' · ') }] }]),
      ],
    },
  }
}
