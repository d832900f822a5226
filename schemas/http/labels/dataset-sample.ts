/** The manifest of a data set as the document shows it. */

/** A SHA-256 in hex. */
export const HASH = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

/** A manifest of labelled rows as CSV. */
export const MANIFEST_SAMPLE = {
  question: {
    as_of: '2026-02-01T08:00:00.000Z',
    model_id: 'fraud',
    from: '2026-01-01T00:00:00.000Z',
    to: '2026-02-01T00:00:00.000Z',
    where: "country = 'DE'",
    label: 'label',
    rows: 'labelled',
    format: 'csv',
    columns: ['score', 'label'],
  },
  withheld: [],
  resolution: {
    precedence: ['ground_truth', 'human_review', 'user_feedback', 'judge'],
    resolve: 'newest',
    model_file_sha256: HASH,
  },
  parts: [
    {
      table: 'labels',
      query: 'SELECT prediction_id, label FROM labels WHERE model_id = {model:String}',
      parameters: { model: 'fraud' },
      schema: [{ name: 'prediction_id', type: 'String' }],
      names: ['label'],
      rows: 1250,
      weight: 49_200,
      content_sha256: HASH,
    },
  ],
  file: {
    rows: 1250,
    bytes: 180_000,
    sha256: HASH,
    weight: 49_200,
    columns: [
      { name: 'prediction_id', type: 'text' },
      { name: 'score', type: 'number' },
      { name: 'label', type: 'text' },
    ],
    defused_cells: 0,
    left_out: {},
  },
  sha256: HASH,
}
