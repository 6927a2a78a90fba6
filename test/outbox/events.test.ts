import t from 'tap';
import { BODY_BYTES_MAX, boundBody, type Envelope, prepareEvents } from '../../src/outbox/events.js';
import { EVENT_NAMES, TOPIC_NAMES, topicsOf, typesOf } from '../../src/outbox/topics.js';

const NOW = new Date('2026-03-02T09:00:00.000Z');

t.test('an event is told in one text, with what it has and nothing else', async (t) => {
  const draft = {
    type: 'customer.updated',
    occurredAt: new Date('2026-03-01T00:00:00Z'),
    data: { a: 1 },
    previous: { a: 0 },
  };
  const [row] = prepareEvents({ now: NOW }, [
    { draft, customerId: 'c', sequence: 4, correctionId: 'k', deliver: true },
  ]);
  t.match(row?.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  t.same(JSON.parse(row?.body ?? ''), {
    id: row?.id,
    type: 'customer.updated',
    occurredAt: '2026-03-01T00:00:00.000Z',
    recordedAt: NOW.toISOString(),
    sequence: 4,
    correctionId: 'k',
    data: { a: 1 },
    previous: { a: 0 },
  });
  t.match(row, { customer_id: 'c', sequence: 4, correction_id: 'k', deliver: true });
  const [plain] = prepareEvents({ now: NOW }, [
    {
      id: 'mine',
      draft: { type: 'ping', occurredAt: NOW, data: {} },
      customerId: null,
      sequence: null,
      deliver: false,
    },
  ]);
  t.equal(plain?.id, 'mine');
  t.same(Object.keys(JSON.parse(plain?.body ?? '')), [
    'id',
    'type',
    'occurredAt',
    'recordedAt',
    'sequence',
    'data',
  ]);
});

t.test('a type that is not in the catalogue cannot be told', async (t) => {
  const draft = { type: 'customer.vanished', occurredAt: NOW, data: {} };
  t.throws(() => prepareEvents({ now: NOW }, [{ draft, customerId: null, sequence: null, deliver: true }]));
});

t.test('topics', async (t) => {
  t.same(topicsOf('customer.churned'), ['customer.churned', 'customer.stage_changed', 'customer.*', '*']);
  t.same(topicsOf('customer.transition_retracted'), ['customer.transition_retracted', 'customer.*', '*']);
  t.same(topicsOf('ping'), ['ping', '*']);
  t.same(typesOf(['*']), [...EVENT_NAMES]);
  t.same(typesOf(['customer.stage_changed']), [
    'customer.stage_changed',
    'customer.declining',
    'customer.churned',
    'customer.recovered',
    'customer.reactivated',
  ]);
  t.same(typesOf(['order.*', 'ping']), [
    'order.recorded',
    'order.updated',
    'order.cancelled',
    'order.refunded',
    'ping',
  ]);
  t.ok(
    ['*', 'customer.*', 'order.*', 'policy.*', 'touchpoint.*'].every((name) => TOPIC_NAMES.includes(name)),
  );
});

t.test('bodies', async (t) => {
  const line = (product: string) => ({ product, quantity: 1, unitPriceMinor: 100 });
  const envelope = (lines: object[], extra: object = {}): Envelope => ({
    id: 'e',
    type: 'order.recorded',
    occurredAt: NOW.toISOString(),
    recordedAt: NOW.toISOString(),
    sequence: 1,
    data: { customer: { id: 'c' }, order: { id: 'o', lines, refunds: [], ...extra } },
  });

  await t.test('a small one is as it is', async (t) => {
    t.equal(boundBody(envelope([line('a')])), JSON.stringify(envelope([line('a')])));
  });

  await t.test('one that just fits is as it is, one byte more is cut', async (t) => {
    const size = (pad: number) =>
      Buffer.byteLength(JSON.stringify(envelope([line('x'.repeat(pad)), line('b')])));
    const pad = BODY_BYTES_MAX - size(0);
    t.equal(size(pad), BODY_BYTES_MAX);
    t.equal(boundBody(envelope([line('x'.repeat(pad)), line('b')])).length, BODY_BYTES_MAX);
    const cut = JSON.parse(boundBody(envelope([line('x'.repeat(pad + 1)), line('b')])));
    t.equal(cut.data.order.linesOmitted, cut.data.order.lines.length === 0 ? 2 : 1);
  });

  await t.test('lines are cut from the end, as few as need be, and counted in bytes', async (t) => {
    const lines = Array.from({ length: 1_000 }, (_, i) => line(`产品-${i}`));
    const text = boundBody(envelope(lines));
    const { order } = JSON.parse(text).data;
    t.ok(Buffer.byteLength(text) <= BODY_BYTES_MAX);
    t.ok(Buffer.byteLength(text) > BODY_BYTES_MAX - 150, 'no more than needed');
    t.same(order.lines, lines.slice(0, order.lines.length));
    t.equal(order.linesOmitted, 1_000 - order.lines.length);
    t.same(order.refunds, []);
  });

  await t.test('what cannot be cut stays whole', async (t) => {
    const reason = 'x'.repeat(BODY_BYTES_MAX);
    const { order } = JSON.parse(boundBody(envelope([line('a')], { reason }))).data;
    t.same(order.lines, []);
    t.equal(order.linesOmitted, 1);
    t.equal(order.reason, reason);
    const other: Envelope = { ...envelope([]), data: { note: reason } };
    t.equal(boundBody(other), JSON.stringify(other));
  });
});
