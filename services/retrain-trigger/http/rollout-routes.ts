/** Routes by which people hold the traffic of a candidate, let it go on, and take it back. */
import { actorOf } from '../../../lib/http/callers.ts'
import type { Http } from '../../../lib/http/server.ts'
import { Problem } from '../../../lib/runtime/errors.ts'
import { goOn } from '../decide/rollout.ts'
import { factsOf } from '../loop/rollouts.ts'
import { moveByPerson } from '../queries/rollout/moves.ts'
import type { Run } from '../queries/run-record.ts'
import { rollBackRun } from '../queries/run-transitions.ts'
import { readRun, readStepTerms } from '../queries/runs.ts'
import type { RetrainRoutesOptions } from './options.ts'
import { byPerson, OPERATE, requireRun } from './parameters.ts'

/** Adds `POST /v1/runs/:id/hold`. */
export function addHold(http: Http, { engine }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/hold',
    {
      config: OPERATE,
      schema: byPerson('Keeps the traffic of a candidate at its share until a person decides'),
    },
    async ({ params, body, caller, reach }) => {
      await requireRun(engine.ledger, params.id, reach)
      const who = { actor: actorOf(caller, body.actor), message: body.message }
      return moveByPerson(engine.ledger, params.id, who, (_, { state }) =>
        ['waiting', 'moving', 'watching'].includes(state)
          ? { kind: 'hold', reason: '', severity: null, proposes: null }
          : `the traffic is ${state}: there is nothing to hold`,
      )
    },
  )
}

/** Adds `POST /v1/runs/:id/go-on`. */
export function addGoOn(http: Http, { engine, rollouts, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/go-on',
    {
      config: OPERATE,
      schema: byPerson('Gives a candidate the next share of the traffic'),
    },
    async ({ params, body, caller, reach }) => {
      const { ledger } = engine
      await requireRun(ledger, params.id, reach)
      const who = { actor: actorOf(caller, body.actor), message: body.message }
      const known = await readRun(ledger.postgres, params.id)
      if (!known) throw new Problem(404, 'unknown_run', `there is no run ${params.id}`)
      const terms = await readStepTerms(ledger.postgres, params.id)
      const served =
        known.rollout && terms
          ? (await factsOf(rollouts, known, { rollout: known.rollout, terms })).served
          : new Map<string, number>()
      const run = await moveByPerson(ledger, params.id, who, (row, rollout) =>
        goOn({ rollout, version: row.new_version, served }),
      )
      wake()
      return run
    },
  )
}

/** Adds `POST /v1/runs/:id/roll-back`. */
export function addRollBack(http: Http, { engine, wake }: RetrainRoutesOptions): void {
  http.post(
    '/v1/runs/:id/roll-back',
    {
      config: OPERATE,
      schema: byPerson(
        'Takes the new version of a run back: by a launch where its traffic moves step by step, else it is recorded',
      ),
    },
    async ({ params, body, caller, reach }) => {
      await requireRun(engine.ledger, params.id, reach)
      const who = { actor: actorOf(caller, body.actor), message: body.message }
      const known = await readRun(engine.ledger.postgres, params.id)
      const run = hasTraffic(known)
        ? await moveByPerson(engine.ledger, params.id, who, (_, { state }) =>
            state === 'going_back' ? 'it is going back' : { kind: 'roll_back', reason: '' },
          )
        : await rollBackRun(engine.ledger, params.id, who.actor, who.message)
      wake()
      return run
    },
  )
}

const hasTraffic = (run: Run | undefined) =>
  !!run?.rollout && (run.state === 'promoting' || run.state === 'promoted')
