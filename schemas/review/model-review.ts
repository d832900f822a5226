/** The section `review` of a model file: whom is asked, about how much, and how they are measured. */
import Type, { type Static } from 'typebox'

/** Most predictions of a model that are drawn for review in a day. */
export const MAX_BUDGET_PER_DAY = 10_000

const closed = { additionalProperties: false }
const share = (description: string, fallback: number, maximum = 1) =>
  Type.Number({ minimum: 0, maximum, description, default: fallback })

const people = (description: string) =>
  Type.Object(
    {
      people: Type.Array(Type.String({ minLength: 1, maxLength: 180 }), {
        maxItems: 200,
        default: [],
        description: 'Reviewers by the id of their key, or the name of their token.',
      }),
      teams: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), {
        maxItems: 50,
        default: [],
        description: 'Teams of `reviewer@team:NAME` grants, or of the claim of teams.',
      }),
    },
    { ...closed, description },
  )

/** How people are asked about predictions of a model. */
export const ModelReview = Type.Object(
  {
    reviewers: Type.Integer({ minimum: 1, maximum: 20, default: 1 }),
    budget_per_day: Type.Integer({ minimum: 0, maximum: MAX_BUDGET_PER_DAY, default: 0 }),
    draw: Type.Object(
      {
        random: share('Share of the budget drawn evenly.', 1),
      },
      { ...closed, default: {} },
    ),
    assign: Type.Optional(
      people('Who gets its tasks, any of these; everybody who may review unless given.'),
    ),
    adjudicate: Type.Optional(
      people(
        'Who decides where as many reviewers say one thing as another, any of these that has not voted; more reviewers are asked unless given.',
      ),
    ),
    gold: Type.Optional(
      Type.Object(
        {
          share: share(
            'Part of the tasks of a reviewer whose right answer is known, hidden among the others.',
            0.05,
            0.5,
          ),
        },
        {
          ...closed,
          description:
            'Tasks with known answers, which measure reviewers; an operator declares them by `POST /v1/models/{id}/gold`.',
        },
      ),
    ),
  },
  closed,
)
/** The review of a model file, as read and checked. */
export type ModelReview = Static<typeof ModelReview>
