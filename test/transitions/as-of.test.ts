// What was in effect at an instant, by what was known at an instant: boundaries, corrections and merges, over
// HTTP on a real Postgres.

import t from 'tap';
import { openRows } from '../routes/rows.js';
import { startLookingBack } from './looking-back.js';

const { shared, open } = await startLookingBack(t);
const rows = await openRows(t, shared);

t.test('a stage is in effect from its own millisecond on', async (t) => {
  const shop = await open('boundaries');
  await shop.customer('ann');
  shop.clock.set('2026-03-05T00:00:00.000Z');
  await shop.order('ann', 'a1', '2026-03-04T12:00:00.000Z');
  const before = { asOf: '2026-03-04T11:59:59.999Z' };
  const at = { asOf: '2026-03-04T12:00:00.000Z' };
  const first = { stage: 'prospect', since: '2026-03-01T00:00:00.000Z', known: true };
  t.match(await shop.stageOf('ann', before), { ...first, previous: null, next: { to: 'new' } });
  t.match(await shop.stageOf('ann', at), {
    stage: 'new',
    since: at.asOf,
    transition: { from: 'prospect', to: 'new', cause: 'order', evidence: {} },
    previous: { from: null, to: 'prospect' },
    next: null,
  });
  t.same(await shop.listed(before), [['ann', 'prospect', first.since]]);
  t.same(await shop.listed(at), [['ann', 'new', at.asOf]]);
  t.same(await shop.counted(before), { total: 1, prospect: 1 });
  t.same(await shop.counted(at), { total: 1, new: 1 });
});

t.test('before their first row a customer has no stage, and is in no list and no count', async (t) => {
  const shop = await open('firsts');
  shop.clock.set('2026-03-03T00:00:00.000Z');
  await shop.customer('bo');
  const early = { asOf: '2026-03-02T23:59:59.999Z' };
  t.match(await shop.stageOf('bo', early), {
    ...{ stage: null, since: null, transition: null, previous: null, known: true },
    next: { from: null, to: 'prospect' },
  });
  t.same(await shop.listed(early), []);
  t.same(await shop.counted(early), { total: 0 });
  shop.clock.set('2026-03-04T00:00:00.000Z');
  const unknown = { knownAt: '2026-03-02T23:59:59.999Z' };
  t.match(await shop.stageOf('bo', unknown), { stage: null, known: false, next: null });
  t.same(await shop.listed(unknown), []);
  t.same(await shop.counted(unknown), { total: 0 });
  // An order from before they were known to us opens their history at its own time.
  await shop.order('bo', 'b1', '2026-02-20T00:00:00.000Z');
  t.match(await shop.stageOf('bo', early), { stage: 'declining', since: '2026-03-02T00:00:00.000Z' });
  const then = { ...early, knownAt: '2026-03-03T23:59:59.999Z' };
  t.match(await shop.stageOf('bo', then), { stage: null, known: true }, 'which was not known then');
});

t.test('a correction changes what was, and not what was known', async (t) => {
  const shop = await open('corrections');
  await shop.customer('cy');
  shop.clock.set('2026-03-05T00:00:00.000Z');
  await shop.order('cy', 'c1', '2026-03-02T00:00:00.000Z');
  await shop.order('cy', 'c2', '2026-03-03T00:00:00.000Z');
  shop.clock.set('2026-03-06T00:00:00.000Z');
  await shop.service.inject('POST', '/v1/orders/ext:shop:c2/cancel');
  const cancelled = await shop.service.inject('GET', '/v1/orders/ext:shop:c2');
  t.equal(cancelled.json().status, 'cancelled');
  const asOf = '2026-03-04T00:00:00Z';
  for (const [knownAt, stage] of [
    ['2026-03-04T23:59:59.999Z', 'prospect'],
    ['2026-03-05T00:00:00.000Z', 'mature'],
    ['2026-03-05T23:59:59.999Z', 'mature'],
    ['2026-03-06T00:00:00.000Z', 'new'],
  ] as const) {
    t.equal((await shop.stageOf('cy', { asOf, knownAt })).stage, stage, knownAt);
    t.same(await shop.namesListed({ asOf, knownAt, stage }), ['cy']);
    t.same(await shop.listed({ asOf, knownAt, stage: 'churned' }), []);
    t.same(await shop.counted({ asOf, knownAt }), { total: 1, [stage]: 1 });
  }
  const known = await shop.stageOf('cy', { asOf, knownAt: '2026-03-05T12:00:00Z' });
  t.equal(known.transition.supersededAt, '2026-03-06T00:00:00.000Z', 'the row says what became of it');
});

t.test('who has no lifecycle any more, as after a merge, is found by what was known before', async (t) => {
  const shop = await open('merged');
  const merged = await shop.customer('di');
  await shop.customer('ed');
  const now = '2026-03-02T00:00:00.000Z';
  shop.clock.set('2026-03-03T00:00:00.000Z');
  await rows.query('UPDATE transitions SET superseded_at = $2 WHERE customer_id = $1', [merged.id, now]);
  await rows.query('DELETE FROM customer_lifecycles WHERE customer_id = $1', [merged.id]);
  const before = { knownAt: '2026-03-01T23:59:59.999Z' };
  t.same((await shop.namesListed(before)).sort(), ['di', 'ed']);
  t.same(await shop.counted(before), { total: 2, prospect: 2 });
  t.match(await shop.stageOf('di', before), { stage: 'prospect', known: true });
  const after = { knownAt: now };
  t.same(await shop.namesListed(after), ['ed']);
  t.same(await shop.counted(after), { total: 1, prospect: 1 });
  t.match(await shop.stageOf('di', after), { stage: null, known: true });
});

t.test('an answer to both instants has an ETag that holds until the customer changes', async (t) => {
  const shop = await open('etags');
  await shop.customer('lu');
  const at = shop.clock.now().toISOString();
  const both = `/v1/customers/ext:crm:lu/stage?asOf=${at}&knownAt=${at}`;
  const first = await shop.service.inject('GET', both);
  const headers = { 'if-none-match': String(first.headers.etag) };
  t.equal(first.headers.etag, `"${first.json().version}"`);
  t.equal((await shop.service.inject('GET', both, { headers })).statusCode, 304);
  const one = await shop.service.inject('GET', `/v1/customers/ext:crm:lu/stage?asOf=${at}`, { headers });
  t.equal(one.statusCode, 200, 'as known now is another answer at each time');
  shop.clock.advance(1_000);
  await shop.order('lu', 'l1', '2026-03-01T00:00:00.000Z');
  t.equal((await shop.service.inject('GET', both, { headers })).statusCode, 200);
});
