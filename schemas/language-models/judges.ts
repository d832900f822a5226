/** The section `judges` of a model file, and the prompt files that it names. */
import Type, { type Static } from 'typebox'

const closed = { additionalProperties: false }
const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$'
const duration = (description: string, fallback: string) =>
  Type.String({ pattern: '^\\d+(ms|s|m|h)$', description, default: fallback })

/** Most judges of a model. */
const MAX_JUDGES = 10

/** What a judge may answer: one of some classes, a number of a range, or the better one of a pair. */
export const JudgeAnswer = Type.Object(
  {
    classes: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        minItems: 2,
        maxItems: 50,
        uniqueItems: true,
        description: 'What may be answered; in its place `minimum` and `maximum`.',
      }),
    ),
    pair: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^(input_text|output_text|prediction|(features|attributes)\\..{1,200})$',
        }),
        {
          minItems: 2,
          maxItems: 2,
          uniqueItems: true,
          description:
            'Two fields, of which the better one is asked for: the answers are `first`, `second` and `tie`.',
        },
      ),
    ),
    minimum: Type.Optional(Type.Number({ description: 'The least number that may be answered.' })),
    maximum: Type.Optional(Type.Number({ description: 'The greatest.' })),
    whole: Type.Optional(Type.Boolean({ description: 'Whole numbers alone; any unless given.' })),
  },
  closed,
)
/** What a judge may answer, as read. */
export type JudgeAnswer = Static<typeof JudgeAnswer>

/** An endpoint that takes `POST <url>/chat/completions` as OpenAI's does. */
const JudgeEndpoint = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://',
      maxLength: 2000,
      description: 'What stands before `/chat/completions`, such as `https://api.example.com/v1`.',
    }),
    model: Type.String({
      minLength: 1,
      maxLength: 200,
      description: 'The model that is asked; its price is looked up by this name.',
    }),
    provider: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'The provider by which its price is looked up.',
      }),
    ),
    key: Type.Optional(
      Type.String({
        maxLength: 300,
        description: 'The key, as `secret://env/NAME`; it is sent as a bearer token.',
      }),
    ),
    response_format: Type.Enum(['json_schema', 'json_object', 'none'], {
      default: 'json_schema',
      description: 'How the endpoint is told to answer in JSON.',
    }),
    output_limit: Type.Enum(['max_tokens', 'max_completion_tokens'], {
      default: 'max_tokens',
      description: 'By what name the endpoint takes the limit of tokens.',
    }),
    parameters: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z][a-z0-9_]{0,63}$' }),
        Type.Union([Type.Number(), Type.Boolean(), Type.String({ maxLength: 200 })]),
        {
          maxProperties: 20,
          description: 'Sent besides, such as `seed` or `reasoning_effort`; temperature is 0.',
        },
      ),
    ),
  },
  closed,
)
/** The endpoint of a judge, as read. */
export type JudgeEndpoint = Static<typeof JudgeEndpoint>

/** One judge. */
export const ModelJudge = Type.Object(
  {
    name: Type.String({
      pattern: NAME,
      description: 'Its labels have the labeler `name@version`.',
    }),
    version: Type.String({
      pattern: NAME,
      description: 'Another one whenever its prompt, model or answers change.',
    }),
    label: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Name of its labels; its own name unless given.',
      }),
    ),
    prompt: Type.String({
      pattern: '^prompts/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,99}\\.yaml$',
      description: 'The prompt file, in the folder `prompts` beside the model file.',
    }),
    answer: JudgeAnswer,
    endpoint: Type.Optional(JudgeEndpoint),
    command: Type.Optional(
      Type.Array(Type.String({ maxLength: 4000 }), {
        minItems: 1,
        maxItems: 50,
        description:
          'A program in its place: the request on its standard input, the answer on its output.',
      }),
    ),
    sample: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      default: 0.01,
      description: 'Share of the predictions that it is asked about.',
    }),
    budget_usd_per_day: Type.Number({
      minimum: 0,
      maximum: 100_000,
      default: 1,
      description: 'US dollars of a day, in UTC, that are never exceeded.',
    }),
    usd_per_call: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1000,
        description: 'What one answer costs, in place of the price file; 0 of commands.',
      }),
    ),
    max_tokens: Type.Integer({
      minimum: 1,
      maximum: 32_768,
      default: 512,
      description: 'Tokens that an answer may have.',
    }),
    max_chars: Type.Integer({
      minimum: 100,
      maximum: 200_000,
      default: 20_000,
      description: 'Characters of a prediction’s data above which it is not asked about.',
    }),
    timeout: duration('How long one answer may take, from `1s` to `10m`.', '60s'),
    attempts: Type.Integer({
      minimum: 1,
      maximum: 10,
      default: 4,
      description: 'How often one prediction is tried where the endpoint fails.',
    }),
    concurrency: Type.Integer({
      minimum: 1,
      maximum: 16,
      default: 2,
      description: 'How many answers are waited for at a time, in each process.',
    }),
    mute_below: Type.Optional(
      Type.Object(
        {
          agreement: Type.Number({
            minimum: -1,
            maximum: 1,
            description:
              'The least agreement with people: Cohen’s kappa, of numbers Krippendorff’s alpha.',
          }),
          items: Type.Integer({
            minimum: 10,
            maximum: 10_000,
            default: 30,
            description: 'Predictions that both have labelled, below which it is not muted.',
          }),
        },
        closed,
      ),
    ),
  },
  closed,
)
/** A judge of a model file, as read. */
export type ModelJudge = Static<typeof ModelJudge>

/** The schema of `judges`. */
export const ModelJudges = Type.Array(ModelJudge, {
  maxItems: MAX_JUDGES,
  description: 'Language models that are asked about a share of the predictions.',
})

/** A prompt file. */
export const JudgePromptFile = Type.Object(
  {
    version: Type.String({ minLength: 1, maxLength: 100, description: 'Of the prompt.' }),
    system: Type.String({
      minLength: 1,
      maxLength: 32_768,
      description: 'What the judge is told to do; no data of predictions stands here.',
    }),
    user: Type.String({
      minLength: 1,
      maxLength: 32_768,
      description: 'What is asked, with places such as `{{output_text}}` for data.',
    }),
  },
  { $id: 'judge-prompt', ...closed },
)
/** A prompt file, as read and checked. */
export type JudgePromptFile = Static<typeof JudgePromptFile>
