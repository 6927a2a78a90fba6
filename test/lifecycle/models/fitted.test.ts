// What a version goes by where its own fit of a dropout model is refused.

import t from 'tap';
import { DEFAULT_CADENCE } from '../../../src/lifecycle/models/cadence.js';
import {
  type FittedModels,
  fittedOf,
  identifiedOf,
  inUseOf,
  succeeding,
} from '../../../src/lifecycle/models/fitted.js';
import { fitOf, modelsOf, REFUSED, versionsOf } from './versions.js';

const FIRST = { r: 0.5, alphaDays: 60, a: 1, b: 2 };
const LATER = { r: 0.6, alphaDays: 50, a: 1.2, b: 2 };

const both = (parameters: typeof FIRST | null) => modelsOf({ bg: parameters, mbg: parameters });

t.test('what a fit identifies is in use, and is of its own version', async (t) => {
  const models = succeeding(both(LATER), { version: 3, models: both(FIRST) });
  t.same(models, both(LATER), 'nothing is kept beside it');
  t.strictSame(fittedOf(models), { bg: LATER, mbg: LATER, spend: {} });
  t.same(inUseOf(models.bg, 4), { parameters: LATER, version: 4 });
});

t.test('a fit that is refused keeps what was in use, and says of itself what it found', async (t) => {
  const refused = both(null);
  const models = succeeding(refused, { version: 3, models: both(FIRST) });
  t.same(refused, both(null), 'what was fitted is not written into');
  const { kept, ...own } = models.mbg;
  t.same(kept, { parameters: FIRST, version: 3 });
  t.match(own, { identified: false, reason: 'dropout_not_identified', parameters: REFUSED });
  t.same(fittedOf(models), { bg: FIRST, mbg: FIRST, keptFrom: { bg: 3, mbg: 3 }, spend: {} });
  t.same(identifiedOf(models), { bg: null, mbg: null, spend: {} }, 'to predict by there is nothing');
});

t.test('however many fits are refused, what is kept is of the last that was not', async (t) => {
  const dated = { effectiveFrom: 0, cadence: DEFAULT_CADENCE };
  const found = [FIRST, null, null, LATER, null].map((mbg) => ({ ...dated, bg: null, mbg }));
  t.same(
    versionsOf(found).map(({ mbg, keptFrom }) => [mbg, keptFrom?.mbg]),
    [
      [FIRST, undefined],
      [FIRST, 1],
      [FIRST, 1],
      [LATER, undefined],
      [LATER, 4],
    ],
  );
});

t.test('of two models, each keeps or is fitted by itself', async (t) => {
  const models = succeeding(modelsOf({ bg: LATER, mbg: null }), { version: 1, models: both(FIRST) });
  t.same(fittedOf(models), { bg: LATER, mbg: FIRST, keptFrom: { mbg: 1 }, spend: {} });
});

t.test('where nothing was ever identified there is nothing to keep', async (t) => {
  const none = { bg: null, mbg: null, spend: {} };
  t.strictSame(fittedOf(succeeding(both(null), undefined)), none);
  t.strictSame(fittedOf(succeeding(both(null), { version: 1, models: null })), none);
  t.strictSame(fittedOf(succeeding(both(null), { version: 1, models: both(null) })), none);
  t.equal(inUseOf(fitOf(null), 1), null);
});

t.test('versions from before fits were kept read as they did', async (t) => {
  const old: FittedModels = both(null);
  t.notOk('kept' in old.mbg);
  t.strictSame(fittedOf(old), { bg: null, mbg: null, spend: {} });
  t.strictSame(fittedOf(null), { bg: null, mbg: null, spend: {} });
});
