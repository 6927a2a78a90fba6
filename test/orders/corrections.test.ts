// Orders that arrive late or are taken back correct the past: what was told is taken back, newest first, then
// what is true instead is told, oldest first, and partners hear of it as far as they had heard before.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { openShop, orderOf, type Shop, type ToldEvent } from './shop.js';

const shared = await startService(t);

/** One order, told as it came, and the ticks that found its customer declining and churned. */
async function openWithChurned(slug: string): Promise<Shop> {
  shared.clock.set('2025-09-30T09:00:00Z');
  const shop = await openShop(shared, slug);
  await shop.customer('ann');
  shared.clock.set('2025-10-01T12:00:00Z');
  await shop.post(orderOf('ann', 'o1', '2025-10-01'));
  for (const day of ['2025-11-16', '2026-01-01']) await shop.tick(`${day}T00:00:00Z`);
  shared.clock.set('2026-01-06T09:00:00Z');
  return shop;
}

/** What the events of a correction say, and whether partners hear of it. */
function said(events: readonly ToldEvent[]) {
  return events.map(({ type, data, deliver }) => {
    const { retracted, transition } = data as Record<
      string,
      { from: string; to: string; effectiveAt: string } | undefined
    >;
    const row = retracted ?? transition;
    return row === undefined
      ? type
      : `${type} ${row.from} → ${row.to} ${row.effectiveAt.slice(0, 10)}${deliver ? ' !' : ''}`;
  });
}

t.test('a late order takes back what it shows to be wrong, and tells what is true instead', async (t) => {
  const shop = await openWithChurned('late');
  const before = await shop.ledger('ann');
  t.same(await shop.path('ann'), [
    ...['· → prospect 2025-09-30', 'prospect → new 2025-10-01', 'new → declining 2025-11-15'],
    'declining → churned 2025-12-31',
  ]);
  const told = await shop.events('ann');
  await shop.post(orderOf('ann', 'o2', '2025-11-20'));
  t.same(await shop.path('ann'), [
    ...['· → prospect 2025-09-30', 'prospect → new 2025-10-01', 'new → declining 2025-11-15'],
    ...['declining → mature 2025-11-20', 'mature → declining 2026-01-04'],
  ]);
  const events = (await shop.events('ann')).slice(told.length);
  t.same(said(events), [
    'order.recorded',
    'customer.transition_retracted declining → churned 2025-12-31 !',
    // In between: true, told in the feed, and news to nobody.
    'customer.recovered declining → mature 2025-11-20',
    'customer.declining mature → declining 2026-01-04 !',
  ]);
  const [order, ...correction] = events;
  t.equal(order?.correctionId, undefined);
  const [id] = correction.map(({ correctionId }) => correctionId);
  t.type(id, 'string');
  t.same(
    correction.map(({ correctionId }) => correctionId),
    [id, id, id],
    'the correction has one id',
  );
  const churned = before.at(-1);
  t.match(correction[0], {
    occurredAt: '2026-01-06T09:00:00.000Z',
    data: {
      retracted: { transitionId: churned?.id, eventId: told.at(-1)?.id, effectiveAt: churned?.effectiveAt },
      stage: 'declining',
      stageSince: '2026-01-04T12:00:00.000Z',
    },
  });
  const after = await shop.ledger('ann', { superseded: true });
  t.match(
    after.find((row) => row.id === churned?.id),
    { supersededAt: '2026-01-06T09:00:00.000Z' },
    'what was known is kept',
  );
  t.same(
    after.filter(({ correctionId }) => correctionId === id).map(({ to }) => to),
    ['mature', 'declining'],
  );
  t.same(
    (await shop.ledger('ann')).slice(0, 3).map((row) => row.id),
    before.slice(0, 3).map((row) => row.id),
    'what stays true stays the same row',
  );
});

t.test(
  'retractions come newest first, and are delivered only where what they take back had been',
  async (t) => {
    const shop = await openWithChurned('taken-back');
    await shop.post(orderOf('ann', 'o2', '2025-11-20'));
    const count = (await shop.events('ann')).length;
    await shop.cancel('o1');
    t.same(said((await shop.events('ann')).slice(count)), [
      'order.cancelled',
      'customer.transition_retracted mature → declining 2026-01-04 !',
      // That the customer had recovered was never delivered.
      'customer.transition_retracted declining → mature 2025-11-20',
      'customer.transition_retracted new → declining 2025-11-15 !',
      'customer.transition_retracted prospect → new 2025-10-01 !',
      'customer.stage_changed prospect → new 2025-11-20',
      'customer.declining new → declining 2026-01-04 !',
    ]);
    const events = (await shop.events('ann')).slice(count + 1);
    t.equal(new Set(events.map(({ correctionId }) => correctionId)).size, 1);
    for (const { type, data } of events.filter((event) => event.type === 'customer.transition_retracted')) {
      t.match(
        data,
        { stage: 'declining', stageSince: '2026-01-04T12:00:00.000Z' },
        `${type} names the stage in force`,
      );
    }
  },
);

t.test('what goes to webhooks is queued for each endpoint, and nothing else is', async (t) => {
  const shop = await openWithChurned('queued');
  await shop.post(orderOf('ann', 'o2', '2025-11-20'));
  for (const { type, deliver, deliveries } of await shop.events('ann'))
    t.equal(deliveries, deliver ? 1 : 0, type);
});

t.test('a change of evidence alone is recorded again in silence', async (t) => {
  shared.clock.set('2025-10-02T09:00:00Z');
  const shop = await openShop(shared, 'evidence');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2025-10-01'));
  const [before, events] = [await shop.ledger('ann'), await shop.events('ann')];
  shared.clock.advance(60_000);
  // At the very same instant: the stage has one more order behind it.
  const { id } = (await shop.post(orderOf('ann', 'o2', '2025-10-01'))).json();
  const [row] = await shop.ledger('ann');
  t.equal((await shop.ledger('ann')).length, 1);
  t.not(row?.id, before[0]?.id);
  t.match(row, { to: 'new', effectiveAt: before[0]?.effectiveAt, causeId: id, correctionId: null });
  const all = await shop.ledger('ann', { superseded: true });
  t.match(
    all.find((entry) => entry.id === before[0]?.id),
    { supersededAt: '2025-10-02T09:01:00.000Z' },
  );
  const since = (await shop.events('ann')).slice(events.length);
  t.same(
    since.map(({ type }) => type),
    ['order.recorded'],
    'nothing tells of it but the order',
  );
  await shop.tick('2025-11-16T00:00:00Z');
  shared.clock.set('2025-11-20T00:00:00Z');
  await shop.cancel('o1');
  await shop.cancel('o2');
  const retractions = (await shop.events('ann')).filter(
    ({ type }) => type === 'customer.transition_retracted',
  );
  const told = events.find(({ type, data }) => {
    return type === 'customer.stage_changed' && (data.transition as { to: string }).to === 'new';
  });
  t.ok(
    retractions.some(({ data }) => (data.retracted as { eventId: string }).eventId === told?.id),
    'and it stays tied to the event that told of the row',
  );
});

t.test('cancelling the order that ended a hold restores it', async (t) => {
  shared.clock.set('2025-10-02T09:00:00Z');
  const shop = await openShop(shared, 'hold');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2025-10-01'));
  shared.clock.set('2025-10-05T09:00:00Z');
  const move = { to: 'churned', reason: 'said goodbye' };
  t.equal(
    (await shop.service.inject('POST', '/v1/customers/ext:crm:ann/transitions', { body: move })).statusCode,
    201,
  );
  shared.clock.set('2025-10-10T09:00:00Z');
  await shop.post(orderOf('ann', 'o2', '2025-10-09'));
  t.equal((await shop.profile('ann')).stage, 'mature');
  await shop.cancel('o2');
  t.match(await shop.profile('ann'), {
    stage: 'churned',
    stageSince: '2025-10-05T09:00:00.000Z',
    next: null,
  });
});
