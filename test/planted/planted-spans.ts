/** OTLP requests that hold a planted text: spans of GenAI, and an evaluation of one. */

/** @param text in messages and explanations @param subject who speaks */
export function plantedOtlp(text: string, subject: string) {
  const CHAT = [
    ['gen_ai.operation.name', 'chat'],
    ['gen_ai.request.model', 'guarded'],
    ['gen_ai.response.model', 'guarded'],
    ['gen_ai.input.messages', JSON.stringify([{ role: 'user', parts: [{ content: text }] }])],
    ['gen_ai.output.messages', JSON.stringify([{ role: 'assistant', parts: [{ content: text }] }])],
    ['user.id', subject],
  ].map(([key, value]) => ({ key, value: { stringValue: value } }))
  const spans = (spanId: string) => ({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'guarded' } }] },
        scopeSpans: [
          {
            spans: [
              {
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId,
                name: 'chat',
                startTimeUnixNano: '1767225600000000000',
                endTimeUnixNano: '1767225600000000000',
                attributes: CHAT,
              },
            ],
          },
        ],
      },
    ],
  })
  const logs = {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'guarded' } }] },
        scopeLogs: [
          {
            logRecords: [
              {
                eventName: 'gen_ai.evaluation.result',
                timeUnixNano: '1767225600000000000',
                traceId: '0af7651916cd43dd8448eb211c80319c',
                spanId: '0000000000000001',
                attributes: [
                  ['gen_ai.evaluation.name', 'relevance'],
                  ['gen_ai.evaluation.explanation', text],
                  ['gen_ai.request.model', 'guarded'],
                  ['gen_ai.response.id', 'r'],
                ]
                  .map(
                    ([key, value]) => ({ key, value: { stringValue: value as string } }) as object,
                  )
                  .concat({ key: 'gen_ai.evaluation.score.value', value: { doubleValue: 0.5 } }),
              },
            ],
          },
        ],
      },
    ],
  }
  return { spans, logs }
}
