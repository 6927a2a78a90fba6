// Owns the faults of a policy that its schema accepts, and what is worth saying of one that has none. Does not
// own the schema (policy.ts) nor what can be seen of conditions without a customer (implication.ts).

import { isTimeZone } from './calendar.js';
import type { Effort } from './claims.js';
import { conditionFault } from './conditionFaults.js';
import { CONDITION_DEPTH_MAX, type Condition, everyPart, partsAt } from './conditions.js';
import { type Contradiction, contradictionIn, deadBranchesOf, fewestOf } from './contradictions.js';
import { alwaysHolds, effortOfOnePolicy, implies, neverHolds } from './implication.js';
import { lifecycleOf, type Policy } from './policy.js';
import type { Lifecycle } from './stages.js';

/** How many conditions a policy may have in all, compound ones included: each is asked at each decision. */
export const CONDITIONS_MAX = 100;

/** A drop looks again at each order that leaves its window: more of them make a long history slow to decide. */
export const DROPS_MAX = 8;
/** Of its JSON: every decision and every list of versions carries it. */
export const POLICY_LENGTH_MAX = 65_536;

export interface PolicyFault {
  /** RFC 6901, from the policy's root. */
  pointer: string;
  message: string;
}

/** The dropout models of which the tenant has a fit that is identified. */
export type AvailableModels = Readonly<Record<'bg' | 'mbg', boolean>>;

/** The faults of a policy that its schema accepts; empty for a sound one. */
export function validatePolicy(
  policy: Policy,
  models: AvailableModels = { bg: true, mbg: true },
): PolicyFault[] {
  const faults = [...lifecycleFaults(policy), ...stageFaults(policy), ...carryOverFaults(policy)];
  if (!isTimeZone(policy.timeZone)) {
    faults.push({ pointer: '/timeZone', message: `${policy.timeZone} is not a known IANA time zone` });
  }
  const tooBig = policySizeFaults(policy);
  // Rules of any size are not compared with each other: that would be the work that the bounds are to spare.
  if (tooBig.length > 0) return [...faults, ...tooBig];
  return [...faults, ...conditionFaults(policy), ...modelFaults(policy, models), ...deadRuleFaults(policy)];
}

/** What a policy may mean and probably does not. */
export function policyWarnings(policy: Policy): PolicyFault[] {
  const lifecycle = lifecycleOf(policy);
  const reached = new Set([...policy.rules.map((rule) => rule.stage), policy.otherwise]);
  const effort = effortOfOnePolicy();
  const warnings: PolicyFault[] = [];
  for (const [i, { key }] of lifecycle.stages.entries()) {
    if (reached.has(key)) continue;
    const way = lifecycle.moves.some((move) => move.to.includes(key)) ? 'only a person can' : 'nothing can';
    warnings.push({ pointer: stagePointer(policy, i), message: `no rule leads to ${key}: ${way}` });
  }
  for (const [i, rule] of policy.rules.entries()) {
    const pointer = `/rules/${i}/when`;
    if (alwaysHolds(rule.when, effort)) {
      warnings.push({ pointer, message: 'this condition always holds, so nothing below it is ever asked' });
    }
    // A condition that cannot hold at all is a fault of its own, and then of all its branches.
    if (neverHolds(rule.when, effort)) continue;
    for (const { pointer: branch, because } of deadBranchesOf({ part: rule.when, pointer }, effort)) {
      warnings.push({
        pointer: branch,
        message: `${sayWhy(because, branch)}, so this branch decides nothing`,
      });
    }
  }
  return warnings;
}

function stagePointer({ lifecycle }: Policy, index: number): string {
  return lifecycle === undefined ? '/template' : `/lifecycle/stages/${index}`;
}

function lifecycleFaults({ lifecycle }: Policy): PolicyFault[] {
  if (lifecycle === undefined) return [];
  const faults: PolicyFault[] = [];
  const known = new Set<string>();
  for (const [i, { key }] of lifecycle.stages.entries()) {
    if (known.has(key))
      faults.push({ pointer: `/lifecycle/stages/${i}/key`, message: `${key} is there twice` });
    known.add(key);
  }
  const from = new Set<string>();
  for (const [i, move] of lifecycle.moves.entries()) {
    const pointer = `/lifecycle/moves/${i}`;
    if (from.has(move.from))
      faults.push({ pointer: `${pointer}/from`, message: `${move.from} is there twice` });
    from.add(move.from);
    for (const [key, where] of [
      [move.from, '/from'],
      ...move.to.map((key, j) => [key, `/to/${j}`]),
    ] as const) {
      if (!known.has(key ?? '')) faults.push({ pointer: pointer + where, message: `${key} is not a stage` });
    }
  }
  for (const [i, key] of lifecycle.closedOnceOrdered.entries()) {
    const pointer = `/lifecycle/closedOnceOrdered/${i}`;
    if (!known.has(key)) faults.push({ pointer, message: `${key} is not a stage` });
  }
  return faults;
}

function stageFaults(policy: Policy): PolicyFault[] {
  const named = policy.rules.map((rule, i) => ({ pointer: `/rules/${i}/stage`, stage: rule.stage }));
  return unknownStages(policy, [...named, { pointer: '/otherwise', stage: policy.otherwise }]);
}

function unknownStages(policy: Policy, named: { pointer: string; stage: string }[]): PolicyFault[] {
  const known = lifecycleOf(policy).stages.map((stage) => stage.key);
  return named
    .filter(({ stage }) => !known.includes(stage))
    .map(({ pointer, stage }) => ({
      pointer,
      message: `${stage} is not a stage of ${nameOf(policy)}; its stages are ${known.join(', ')}`,
    }));
}

function stagesAskedFor(policy: Policy): { pointer: string; stage: string }[] {
  return everyCondition(policy).flatMap(({ part, pointer }) =>
    part.type === 'daysInStage' ? [{ pointer: `${pointer}/stage`, stage: part.stage }] : [],
  );
}

/** Only for a policy that is not nested too deep. */
function everyCondition({ rules }: Policy) {
  return rules.flatMap((rule, i) => [...everyPart(rule.when, `/rules/${i}/when`)]);
}

function nameOf({ template, lifecycle }: Policy): string {
  return lifecycle === undefined ? `the ${template} lifecycle` : "the policy's lifecycle";
}

function carryOverFaults(policy: Policy): PolicyFault[] {
  const known = new Set(lifecycleOf(policy).stages.map((stage: Lifecycle['stages'][number]) => stage.key));
  return Object.entries(policy.carryOver ?? {}).flatMap(([from, to]) => {
    const pointer = `/carryOver/${from}`;
    if (!known.has(to)) return [{ pointer, message: `${to} is not a stage of ${nameOf(policy)}` }];
    return known.has(from) ? [{ pointer, message: `${from} is still a stage of ${nameOf(policy)}` }] : [];
  });
}

/** What a draft is refused for, too: the bounds that keep whoever looks at it from being held up. */
export function policySizeFaults(policy: Policy): PolicyFault[] {
  const faults: PolicyFault[] = [];
  let drops = 0;
  let conditions = 0;
  const visit = (condition: Condition, pointer: string, depth: number): void => {
    conditions += 1;
    drops += condition.type === 'drop' ? 1 : 0;
    if (depth > CONDITION_DEPTH_MAX) {
      faults.push({ pointer, message: `conditions are nested more than ${CONDITION_DEPTH_MAX} deep` });
      return;
    }
    if (conditions > CONDITIONS_MAX) return;
    for (const within of partsAt({ part: condition, pointer })) visit(within.part, within.pointer, depth + 1);
  };
  for (const [i, rule] of policy.rules.entries()) visit(rule.when, `/rules/${i}/when`, 1);
  if (conditions > CONDITIONS_MAX) {
    faults.push({ pointer: '/rules', message: `there are more than ${CONDITIONS_MAX} conditions in all` });
  }
  if (drops > DROPS_MAX) {
    faults.push({ pointer: '/rules', message: `there are more than ${DROPS_MAX} conditions of type drop` });
  }
  // What is nested too deep is not written out.
  const length = faults.length > 0 ? 0 : JSON.stringify(policy).length;
  if (length > POLICY_LENGTH_MAX) {
    const message = `the policy is ${length} characters of JSON; it may have ${POLICY_LENGTH_MAX}`;
    faults.push({ pointer: '', message });
  }
  return faults;
}

function conditionFaults(policy: Policy): PolicyFault[] {
  const faults = everyCondition(policy).flatMap(({ part, pointer }) => {
    const message = conditionFault(part);
    return message === undefined ? [] : [{ pointer, message }];
  });
  return [...faults, ...unknownStages(policy, stagesAskedFor(policy))];
}

function modelFaults(policy: Policy, models: AvailableModels): PolicyFault[] {
  return everyCondition(policy).flatMap(({ part, pointer }) => {
    if (part.type !== 'orderProbability' && part.type !== 'aliveProbability') return [];
    if (models[part.model]) return [];
    const message = `the tenant has no ${part.model} fit in which dropout is identified; use a cadence condition`;
    return [{ pointer: `${pointer}/model`, message }];
  });
}

/** Rules that can never decide: their condition cannot hold, or earlier rules hold whenever they do. */
function deadRuleFaults(policy: Policy): PolicyFault[] {
  const effort = effortOfOnePolicy();
  return policy.rules.flatMap(({ when }, i) => {
    const pointer = `/rules/${i}/when`;
    const found = contradictionIn({ part: when, pointer }, effort);
    if (found !== undefined) {
      const why = sayWhy(found, found.pointer);
      return [{ pointer: found.pointer, message: `${why}, so the rule can never decide` }];
    }
    const earlier = rulesBefore(policy, i, effort);
    if (earlier.length === 0) return [];
    const named = earlier.length === 1 ? `rule ${earlier[0]}` : `one of the rules ${earlier.join(', ')}`;
    const message = `${named} holds whenever this one does, so this one can never decide`;
    return [{ pointer, message }];
  });
}

/** How many parts are named that keep another from holding; a message has an end. */
const NAMED_MAX = 3;

/** Said at `here`, so that a part that stands elsewhere is named. */
function sayWhy({ pointer, beside }: Contradiction, here: string): string {
  const part = pointer === here ? 'this' : `the policy's ${pointer}`;
  if (beside.length === 0) return `${part} contradicts itself`;
  const more = beside.length > NAMED_MAX ? ` and ${beside.length - NAMED_MAX} more` : '';
  const others = beside.slice(0, NAMED_MAX).join(' and ') + more;
  return `${part} cannot hold while the policy's ${others} ${beside.length === 1 ? 'does' : 'do'}`;
}

/** The earlier rules of which one holds whenever this one does; empty where there are none. */
function rulesBefore({ rules }: Policy, index: number, effort: Effort): readonly number[] {
  const when = rules[index]?.when;
  if (when === undefined) return [];
  return fewestOf([...rules.keys()].slice(0, index), (some) => {
    return implies(when, { type: 'any', of: some.flatMap((i) => rules[i]?.when ?? []) }, effort);
  });
}
