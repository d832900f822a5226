/**
 * An application with OpenTelemetry's SDK for Node as it comes: nothing is set but the environment.
 */
import {
  diag,
  DiagConsoleLogger,
  DiagLogLevel,
  logs,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'

// What the exporter says of answers is read by the test.
diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN)
const sdk = new NodeSDK()
sdk.start()

const tracer = trace.getTracer('application')
const user = { 'user.id': 'ann', 'gen_ai.conversation.id': 's-1' }

tracer.startActiveSpan('GET /', (request) => {
  const agent = { 'gen_ai.operation.name': 'invoke_agent', 'gen_ai.agent.name': 'planner' }
  tracer.startActiveSpan('invoke_agent planner', { attributes: { ...agent, ...user } }, (span) => {
    tracer
      .startSpan('chat g', {
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'openai',
          'gen_ai.request.model': 'g',
          'gen_ai.response.model': 'g-2',
          'gen_ai.response.id': 'chat-1',
          'gen_ai.response.finish_reasons': ['stop'],
          'gen_ai.usage.input_tokens': 12,
          'gen_ai.usage.output_tokens': 5,
          'gen_ai.response.time_to_first_chunk': 0.25,
          'gen_ai.prompt.name': 'greeting',
          'gen_ai.prompt.version': '4',
          ...user,
        },
      })
      .end()
    const tool = tracer.startSpan('execute_tool search', {
      attributes: { 'gen_ai.operation.name': 'execute_tool', 'gen_ai.tool.name': 'search' },
    })
    tool.setStatus({ code: SpanStatusCode.ERROR })
    tool.end()
    tracer
      .startSpan('embeddings e', {
        attributes: { 'gen_ai.operation.name': 'embeddings', 'gen_ai.request.model': 'e' },
      })
      .end()
    span.end()
  })
  request.end()
})

logs.getLogger('application').emit({
  eventName: 'gen_ai.evaluation.result',
  attributes: {
    'gen_ai.evaluation.name': 'Relevance',
    'gen_ai.evaluation.score.value': 0.5,
    'gen_ai.response.id': 'chat-1',
  },
})
await sdk.shutdown()
