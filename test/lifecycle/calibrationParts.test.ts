// Which parts of a calibration a policy reads, and which have moved.

import t from 'tap';
import { partsMoved, partsRead } from '../../src/lifecycle/calibrationParts.js';
import type { Condition } from '../../src/lifecycle/conditions.js';
import { DEFAULT_POLICY } from '../../src/lifecycle/defaultPolicies.js';
import { DEFAULT_CADENCE } from '../../src/lifecycle/models/cadence.js';
import type { Policy } from '../../src/lifecycle/policy.js';

const policyOf = (when: Condition): Policy => ({ ...DEFAULT_POLICY, rules: [{ stage: 'churned', when }] });

t.test('a policy reads what its conditions do, however deep they are', async (t) => {
  t.same([...partsRead(DEFAULT_POLICY)], ['cadence']);
  t.same([...partsRead(policyOf({ type: 'silence', days: 30 }))], []);
  const deep: Condition = {
    type: 'not',
    of: {
      type: 'any',
      of: [
        { type: 'silence', days: 3 },
        { type: 'cadenceMultiple', multiple: 3 },
      ],
    },
  };
  t.same([...partsRead(policyOf(deep))], ['cadence']);
});

t.test('a part has moved where any of its figures has, and where it has come or gone', async (t) => {
  const fitted = { r: 0.5, alphaDays: 40, a: 0.9, b: 1.6 };
  const before = { cadence: DEFAULT_CADENCE, bg: fitted, mbg: null };
  t.same(partsMoved(before, { ...before, bg: { ...fitted } }), []);
  t.same(partsMoved(before, { ...before, bg: { ...fitted, b: 1.600001 } }), ['bg']);
  t.same(partsMoved(before, { ...before, mbg: fitted }), ['mbg']);
  t.same(partsMoved(before, { cadence: { ...DEFAULT_CADENCE, r: 3.5 }, bg: null, mbg: null }), [
    'cadence',
    'bg',
  ]);
});
