// What is said of conditions without a customer is so for every customer and at every instant: random conditions
// that are close to each other, held against random histories.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import type { Condition } from '../../src/lifecycle/conditions.js';
import { contradictionIn, deadBranchesOf } from '../../src/lifecycle/contradictions.js';
import {
  alwaysHolds,
  effortOfOnePolicy,
  excludeEachOther,
  implies,
  neverHolds,
} from '../../src/lifecycle/implication.js';
import type { Policy } from '../../src/lifecycle/policy.js';
import { compileTimeline, replay } from '../../src/lifecycle/replay.js';
import { validatePolicy } from '../../src/lifecycle/validation.js';
import { SPAN_DAYS, START } from './arbitraries.js';
import { comparable, history, timelineOf } from './comparable.js';
import { Customer, type Truth } from './moments.js';
import { DAY } from './reference.js';

const END = START + (SPAN_DAYS + 40) * DAY;
const RUNS = { numRuns: 2_000 };

const NEVER: Condition = {
  type: 'all',
  of: [
    { type: 'orders', atLeast: 1 },
    { type: 'not', of: { type: 'orders', atLeast: 1 } },
  ],
};

const KINDS = [
  'never holds',
  'always holds',
  'implies',
  'exclude each other',
  'one of two always holds',
  'dead branch',
  'named contradiction',
];

/** Something that was said, and whether it is so at a moment. */
interface Said {
  kind: string;
  isSo(truth: Truth): boolean;
}

function saidOf(a: Condition, b: Condition): Said[] {
  const said: Said[] = [];
  const say = (kind: string, isSaid: boolean, isSo: Said['isSo']) => {
    if (isSaid) said.push({ kind, isSo });
  };
  for (const one of [a, b]) {
    say('never holds', neverHolds(one), (truth) => !truth(one));
    say('always holds', alwaysHolds(one), (truth) => truth(one));
  }
  say('implies', implies(a, b), (truth) => !truth(a) || truth(b));
  say('implies', implies(b, a), (truth) => !truth(b) || truth(a));
  say('exclude each other', excludeEachOther([a, b]), (truth) => !truth(a) || !truth(b));
  const either: Condition = { type: 'any', of: [a, b] };
  say('one of two always holds', alwaysHolds(either), (truth) => truth(a) || truth(b));
  for (const { pointer } of deadBranchesOf({ part: a, pointer: '' }, effortOfOnePolicy())) {
    const without = replaced(a, pointer, NEVER);
    say('dead branch', true, (truth) => truth(a) === truth(without));
  }
  const found = contradictionIn({ part: a, pointer: '' }, effortOfOnePolicy());
  if (found !== undefined && found.beside.length > 0) {
    const together = [found.pointer, ...found.beside].map((pointer) => partAt(a, pointer));
    say('named contradiction', true, (truth) => !together.every(truth));
  }
  return said;
}

t.test('what is said of two conditions is so at every instant of every customer', async (t) => {
  const told = new Map<string, number>();
  const cases = comparable(2)
    .map(([a, b]) => ({
      pair: [a, b] as [Condition, Condition],
      said: saidOf(a as Condition, b as Condition),
    }))
    .filter(({ said }) => said.length > 0)
    .chain((of) => fc.record({ of: fc.constant(of), facts: history, versions: timelineOf(of.pair) }));
  fc.assert(
    fc.property(cases, ({ of: { pair, said }, facts, versions }) => {
      for (const { kind } of said) told.set(kind, (told.get(kind) ?? 0) + 1);
      for (const { at, says, truth } of new Customer(facts, versions, END).moments(pair)) {
        for (const { kind, isSo } of said) {
          assert(isSo(truth), `${kind}: not so by ${says} at ${new Date(at).toISOString()}`);
        }
      }
    }),
    RUNS,
  );
  // A property that is never put to the test holds as well.
  for (const kind of KINDS) t.ok((told.get(kind) ?? 0) >= 20, `${kind}: ${told.get(kind) ?? 0} times`);
});

t.test('a rule of which it is said that it can never decide never does', async (t) => {
  let dead = 0;
  const cases = comparable(4).chain((conditions) =>
    fc.record({ facts: history, versions: timelineOf(conditions) }),
  );
  fc.assert(
    fc.property(cases, ({ facts, versions }) => {
      const deadOf = new Map(versions.policies.map(({ version, policy }) => [version, deadRulesOf(policy)]));
      for (const rules of deadOf.values()) dead += rules.size;
      for (const { policyVersion, evidence } of replay(facts, compileTimeline(versions), END).transitions) {
        assert(!deadOf.get(policyVersion)?.has(evidence.rule ?? -1));
      }
    }),
    RUNS,
  );
  t.ok(dead >= 500, `${dead} dead rules`);
});

function deadRulesOf(policy: Policy): Set<number> {
  const faults = validatePolicy(policy).filter(({ message }) => message.endsWith('can never decide'));
  return new Set(faults.map(({ pointer }) => Number(pointer.split('/')[2])));
}

function partAt(condition: Condition, pointer: string): Condition {
  const steps = pointer.split('/').slice(1);
  return steps.reduce(
    (part, step) => (part as unknown as Record<string, Condition>)[step] as Condition,
    condition,
  );
}

function replaced(condition: Condition, pointer: string, by: Condition): Condition {
  const copy = structuredClone({ of: condition });
  const steps = `/of${pointer}`.split('/').slice(1);
  const last = steps.pop() ?? '';
  const holder = steps.reduce(
    (part, step) => part[step] as Record<string, unknown>,
    copy as Record<string, unknown>,
  );
  holder[last] = by;
  return copy.of;
}
