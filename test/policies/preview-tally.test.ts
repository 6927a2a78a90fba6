// The tally of a preview stays small, and shows rare moves beside common ones.

import t from 'tap';
import { addTo, emptyTally, SAMPLE_MAX } from '../../src/policies/preview-tally.js';
import type { Foreseen } from '../../src/transitions/service.js';

const seen = (id: number, from: string, to: string, more: Partial<Foreseen> = {}): Foreseen => ({
  customerId: String(id),
  from: { stage: from, kind: 'active' },
  to: { stage: to, kind: to === 'churned' ? 'churned' : 'active' },
  ...{ isHeld: false, because: null, events: [], ...more },
});

t.test('everybody is counted, and only those who move are shown', async (t) => {
  const tally = emptyTally();
  const events = [{ type: 'customer.churned', deliver: true }];
  addTo(tally, [seen(1, 'new', 'new'), seen(2, 'new', 'churned', { events, isHeld: true })]);
  addTo(tally, [seen(3, 'new', 'churned', { events: [{ type: 'customer.churned', deliver: false }] })]);
  t.same(tally, {
    ...{ customers: 3, moving: 2, held: 1, straightToChurned: 2, movesOmitted: 0 },
    moves: [
      { from: 'new', to: 'new', customers: 1, held: 0 },
      { from: 'new', to: 'churned', customers: 2, held: 1 },
    ],
    events: [{ type: 'customer.churned', events: 2, deliverable: 1 }],
    sample: [
      { customerId: '2', from: 'new', to: 'churned', held: true, because: null },
      { customerId: '3', from: 'new', to: 'churned', held: false, because: null },
    ],
  });
});

t.test('a rare move that comes last is shown beside one that everybody makes', async (t) => {
  const tally = emptyTally();
  addTo(
    tally,
    Array.from({ length: 500 }, (_, id) => seen(id, 'new', 'churned')),
  );
  addTo(
    tally,
    Array.from({ length: 9 }, (_, id) => seen(1_000 + id, 'mature', 'new')),
  );
  t.equal(tally.sample.length, SAMPLE_MAX);
  const rare = tally.sample.filter(({ from }) => from === 'mature');
  t.same(rare.map(({ customerId }) => customerId).sort(), ['1000', '1001', '1002', '1003', '1004']);
});

t.test('moves beyond what there is room for are counted in one figure', async (t) => {
  const tally = emptyTally();
  addTo(
    tally,
    Array.from({ length: 1_005 }, (_, id) => seen(id, `s${id}`, 'new')),
  );
  t.equal(tally.moves.length, 1_000);
  t.equal(tally.movesOmitted, 5);
  t.equal(tally.customers, 1_005);
});

t.test('what a profile says is not kept with those who are shown', async (t) => {
  const tally = emptyTally();
  const silence = { type: 'silence', days: 30, holds: true };
  const because = {
    type: 'all',
    holds: true,
    of: [
      silence,
      { type: 'attribute', key: 'diet', equals: 'quinces', found: 'quinces', holds: true },
      { type: 'tag', tag: 'vip', found: true, holds: true },
      { type: 'owner', wanted: 'kim', found: 'kim', holds: true },
    ],
  };
  addTo(tally, [seen(1, 'new', 'churned', { because: because as unknown as Foreseen['because'] })]);
  const bare = ['attribute', 'tag', 'owner'].map((type) => ({ type, holds: true }));
  t.same(tally.sample[0]?.because, { ...because, of: [silence, ...bare] });
});
