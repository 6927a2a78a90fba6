// When a refit is worth a version of its own, and when what decisions read has moved.

import t from 'tap';
import { partsMoved } from '../../src/lifecycle/calibrationParts.js';
import type { DropoutParameters } from '../../src/lifecycle/models/dropout.js';
import { figuresOf, hasMoved, partsOf } from '../../src/policies/figures.js';
import type { CalibrationRow } from '../../src/policies/store.js';
import { modelsOf } from '../lifecycle/models/versions.js';

const FIRST = { r: 0.5, alphaDays: 60, a: 1, b: 2 };

/** The row of the version after `before`; null: dropout is not identified. */
function rowAfter(before: CalibrationRow | undefined, mbg: DropoutParameters | null): CalibrationRow {
  const cadence = { r: 3, alphaDays: 90, medianGapDays: 30, completedGaps: 900, logLikelihood: -1 };
  const fit = { ...cadence, method: 'mle', standardErrors: null, customers: 600, atBound: false } as const;
  const measured = { cadence: fit, customers: 600, models: modelsOf({ bg: FIRST, mbg }) };
  const at = new Date(0);
  const version = (before?.version ?? 0) + 1;
  return { version, effectiveFrom: at, createdAt: at, ...figuresOf(measured, before) };
}

t.test('a refit that is refused is a version once, and moves nothing that is decided by', async (t) => {
  const first = rowAfter(undefined, FIRST);
  t.equal(hasMoved(first, rowAfter(first, FIRST)), false);
  const refused = rowAfter(first, null);
  t.equal(hasMoved(first, refused), true, 'so that it can be told of');
  t.same(partsMoved(partsOf(first), partsOf(refused)), []);
  const again = rowAfter(refused, null);
  t.equal(hasMoved(refused, again), false, 'there is nothing new to tell');
  t.same(partsMoved(partsOf(refused), partsOf(again)), []);
});

t.test('the fit after it that is identified is a version, and moves what it moves', async (t) => {
  const refused = rowAfter(rowAfter(undefined, FIRST), null);
  const same = rowAfter(refused, FIRST);
  t.equal(hasMoved(refused, same), true);
  t.same(partsMoved(partsOf(refused), partsOf(same)), [], 'the figures are those that were kept');
  const other = rowAfter(refused, { ...FIRST, a: 1.2 });
  t.same(partsMoved(partsOf(refused), partsOf(other)), ['mbg']);
});
