-- Steps of traffic are rows of runs. A release from before them knows no step: it would launch one as the retraining of its policy.
-- Who claims a step says by the claim that it knows what it is; the claim of any other is refused, and the step waits for who does.
update runs set claim = 'step:' || claim where step is not null and claim is not null and claim not like 'step:%';

alter table runs add constraint runs_step_is_launched_by_a_release_that_knows_steps check (step is null or claim is null or claim like 'step:%');
