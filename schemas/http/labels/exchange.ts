/** Bodies of labels in the shapes of Label Studio and Argilla, as the document shows them. */

const json = <T>(description: string, example: T) => ({
  content: {
    'application/json': {
      schema: { description, anyOf: [{ type: 'object' }, { type: 'array' }], examples: [example] },
    },
  },
})

/** What Label Studio exports and sends. */
export const LABEL_STUDIO_BODY = json(
  'An export (JSON, JSON_MIN), one task of it, or a webhook ANNOTATION_CREATED or ANNOTATION_UPDATED. `data` of a task says `model_id` and `prediction_id`.',
  [
    {
      id: 1,
      data: { model_id: 'fraud', prediction_id: 'p-1', text: 'txn 42' },
      annotations: [
        {
          id: 1,
          completed_by: 1,
          unique_id: '2ad48e72-5d3c-4d0f-8f3a-6f0f2f7c1b11',
          was_cancelled: false,
          created_at: '2026-01-01T10:00:00.000000Z',
          updated_at: '2026-01-01T10:00:00.000000Z',
          result: [
            { from_name: 'label', to_name: 'text', type: 'choices', value: { choices: ['1'] } },
          ],
        },
      ],
    },
  ],
)

/** What Argilla writes. */
export const ARGILLA_BODY = json(
  'Records as `dataset.records.to_json` writes them, or one of them. `id` is the `prediction_id`, `metadata` says `model_id`.',
  [
    {
      id: 'p-1',
      fields: { input_text: 'why?', output_text: 'so' },
      metadata: { model_id: 'fraud' },
      suggestions: {},
      responses: {
        label: [{ value: '1', user_id: '5f0f2a3e-6f0e-4f0e-9d3e-0f4f6a7c8b9d' }],
      },
      vectors: {},
    },
  ],
)
