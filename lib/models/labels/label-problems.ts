/** What JSON Schema cannot say of a model file's labels. Pure. */
import type { ModelFile } from '../../../schemas/model.ts'
import { sameClasses } from './label-values.ts'

/** Problems of `labels`, `classes` and `reference_scores`, as sentences that begin with the field. */
export function labelProblems(file: ModelFile): string[] {
  const { labels, classes = [], task } = file
  const problems = scoreProblems(file)
  const looks = labels?.evaluate_at
  if (looks && (looks.length === 0 || !looks.includes(1)))
    problems.push('labels.evaluate_at must end with 1: the whole label horizon')
  if (labels?.compare === 'normalised' && classes.length === 0 && task !== 'regression')
    problems.push('labels.compare normalised needs classes: labels are spelled as these are')
  const same = labels?.compare === 'exact' ? undefined : sameClasses(classes)
  if (same && task !== 'llm' && task !== 'regression')
    problems.push(
      `labels.compare must be exact: the classes ${same[0]} and ${same[1]} are one where labels are normalised`,
    )
  return problems
}

function scoreProblems({ reference_scores: asked, classes = [], task }: ModelFile): string[] {
  if (!asked) return []
  const { scores, label, context } = asked
  const problems: string[] = []
  if (scores.includes('context_overlap') && context === undefined)
    problems.push('reference_scores: context_overlap needs context, the name of a label')
  if (context !== undefined && !scores.includes('context_overlap'))
    problems.push(
      'reference_scores.context is used by context_overlap alone, which is no score here',
    )
  if (context === label)
    problems.push(`reference_scores: label and context are both ${label}; give each its own label`)
  if (label === 'label' && task === 'regression')
    problems.push('reference_scores.label: the label of a regression is a number, no text')
  if (label === 'label' && task !== 'llm' && classes.length > 0)
    problems.push('reference_scores.label: the label is one of classes, no text; name another')
  return problems
}
