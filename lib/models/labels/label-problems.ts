/** What JSON Schema cannot say of a model file's labels. Pure. */
import type { ModelFile } from '../../../schemas/model.ts'
import { sameClasses } from './label-values.ts'

/** Problems of `labels` and `classes`, as sentences that begin with the field. */
export function labelProblems({ labels, classes = [], task }: ModelFile): string[] {
  const problems: string[] = []
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
