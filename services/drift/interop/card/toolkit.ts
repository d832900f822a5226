/** A model card in the fields of Google's Model Card Toolkit (schema 0.0.2). Pure. */
import type { ToolkitCard } from '../../../../schemas/http/cards/model-card.ts'
import type { CardFacts } from './facts.ts'

const described = (texts: readonly string[] | undefined) =>
  (texts ?? []).map((description) => ({ description }))

/** The card in the toolkit's fields; what is not known is left out, since it has no word for it. */
export function toolkitOf(facts: CardFacts): ToolkitCard {
  const { card, labels, versions, runbook_url } = facts
  const newest = versions.toSorted((a, b) => (a.last < b.last ? 1 : -1))[0]
  const contact = labels['team']
  return {
    schema_version: '0.0.2',
    model_details: {
      name: facts.model_id,
      ...(card.purpose !== undefined && { overview: card.purpose }),
      owners: labels['owner']
        ? [{ name: labels['owner'], ...(contact !== undefined && { contact }) }]
        : [],
      ...(newest && { version: { name: newest.model_version, date: newest.first.slice(0, 10) } }),
      licenses: card.license === undefined ? [] : [{ identifier: card.license }],
      references: [runbook_url, card.instructions_url, card.monitoring_plan_url].flatMap((url) =>
        url === undefined ? [] : [{ reference: url }],
      ),
    },
    model_parameters: {
      ...(card.architecture !== undefined && { model_architecture: card.architecture }),
      data: [
        ...(card.training_data === undefined
          ? []
          : [{ name: 'training data', description: card.training_data }]),
        ...facts.references.map(({ name, kind, says }) => ({
          name,
          description: `${kind}: ${says}`,
        })),
      ],
      ...(facts.features.length > 0 && { input_format: facts.features.join(', ') }),
    },
    quantitative_analysis: {
      performance_metrics: [...facts.performance, ...facts.fairness].flatMap((one) =>
        one.value === null
          ? []
          : [
              {
                type: one.subject === '' ? one.metric : `${one.metric} of ${one.subject}`,
                value: one.value,
                ...(one.cohort !== '' && { slice: one.cohort }),
                ...(one.ci_low !== null &&
                  one.ci_high !== null && {
                    confidence_interval: { lower_bound: one.ci_low, upper_bound: one.ci_high },
                  }),
              },
            ],
      ),
    },
    considerations: {
      users: described(card.users),
      use_cases: described(card.use_cases),
      limitations: described(card.limitations),
      tradeoffs: described(card.tradeoffs),
      ethical_considerations: (card.risks ?? []).map(({ name, mitigation }) => ({
        name,
        mitigation_strategy: mitigation,
      })),
    },
  }
}
