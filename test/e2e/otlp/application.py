"""An application with OpenTelemetry's SDK for Python as it comes: nothing is set but the environment."""

import logging

from opentelemetry._logs import LogRecord, get_logger, set_logger_provider
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

# What the exporters say of answers is read by the test.
logging.basicConfig(level=logging.WARNING)
traces = TracerProvider()
traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
logs = LoggerProvider()
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
set_logger_provider(logs)

tracer = traces.get_tracer("application")
user = {"user.id": "ann", "gen_ai.conversation.id": "s-1"}
agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
chat = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "g",
    "gen_ai.response.model": "g-2",
    "gen_ai.response.id": "chat-1",
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.response.time_to_first_chunk": 0.25,
    "gen_ai.prompt.name": "greeting",
    "gen_ai.prompt.version": "4",
}
with tracer.start_as_current_span("GET /"):
    with tracer.start_as_current_span("invoke_agent planner", attributes={**agent, **user}):
        tracer.start_span("chat g", attributes={**chat, **user}).end()
        tool = tracer.start_span(
            "execute_tool search",
            attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
        )
        tool.set_status(Status(StatusCode.ERROR))
        tool.end()
        tracer.start_span(
            "embeddings e",
            attributes={"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "e"},
        ).end()

get_logger("application").emit(
    LogRecord(
        event_name="gen_ai.evaluation.result",
        attributes={
            "gen_ai.evaluation.name": "Relevance",
            "gen_ai.evaluation.score.value": 0.5,
            "gen_ai.response.id": "chat-1",
        },
    )
)
traces.shutdown()
logs.shutdown()
