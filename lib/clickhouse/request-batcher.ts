/**
 * Questions that ask alike, and come while another one is being answered, are asked together: a
 * query costs more than its rows.
 */

interface Group<Q, A> {
  questions: Q[]
  waiting: { resolve: (answer: A) => void; reject: (error: unknown) => void }[]
}

/**
 * @param groupOf questions of one group go together
 * @param answer one answer a question, in their order
 * @param alone whether questions that failed together are asked again one by one, so that one that
 *   cannot be answered fails alone;
 *   not of what is written, whose first try may have been stored
 */
export function gathered<Q, A>(
  groupOf: (question: Q) => string,
  answer: (questions: readonly Q[]) => Promise<readonly A[]>,
  { alone = true }: { alone?: boolean } = {},
): (question: Q) => Promise<A> {
  const groups = new Map<string, Group<Q, A>>()
  let asking = false

  async function pump() {
    asking = true
    // What comes in the same turn of the event loop goes together.
    await new Promise((resolve) => setImmediate(resolve))
    for (const [name, { questions, waiting }] of groups) {
      groups.delete(name)
      try {
        const answers = await answer(questions)
        waiting.forEach(({ resolve }, i) => resolve(answers[i]!))
      } catch (error) {
        if (alone && questions.length > 1) await eachAlone(questions, waiting)
        else for (const { reject } of waiting) reject(error)
      }
    }
    asking = false
  }

  async function eachAlone(questions: readonly Q[], waiting: Group<Q, A>['waiting']) {
    for (const [i, question] of questions.entries()) {
      try {
        waiting[i]!.resolve((await answer([question]))[0]!)
      } catch (error) {
        waiting[i]!.reject(error)
      }
    }
  }

  return (question) =>
    new Promise((resolve, reject) => {
      const name = groupOf(question)
      const group: Group<Q, A> = groups.get(name) ?? { questions: [], waiting: [] }
      groups.set(name, group)
      group.questions.push(question)
      group.waiting.push({ resolve, reject })
      if (!asking) void pump()
    })
}
