// A policy over a made-up history: over HTTP, on a real Postgres.

import t from 'tap';
import { startService } from '../helpers/service.js';

const { inject } = await startService(t);

const rules = [
  { stage: 'churned', when: { type: 'silence', days: 90 } },
  {
    stage: 'declining',
    when: {
      type: 'any',
      of: [
        { type: 'silence', days: 45 },
        { type: 'satisfaction', scale: 'csat', atMost: 2, withinDays: 10 },
      ],
    },
  },
  {
    stage: 'mature',
    when: {
      type: 'all',
      of: [
        { type: 'orders', atLeast: 1 },
        { type: 'tag', tag: 'vip' },
      ],
    },
  },
  { stage: 'new', when: { type: 'orders', atLeast: 1 } },
];
const policy = { template: 'ecommerce', timeZone: 'UTC', rules, otherwise: 'prospect' };
const { id } = (await inject('POST', '/v1/policies', { body: { name: 'tried', policy } })).json();

async function simulate(body: object, ref = id) {
  const answer = await inject('POST', `/v1/policies/${ref}/simulations`, { body });
  return { status: answer.statusCode, body: answer.json() };
}

t.test('the stages with their times, causes and events, and why the last one is', async (t) => {
  const { status, body } = await simulate({
    until: '2026-06-01T00:00:00Z',
    orders: [
      { placedAt: '2026-01-10T12:00:00Z', amountMinor: 900, currency: 'EUR' },
      { placedAt: '2026-05-01T00:00:00Z' },
    ],
    touchpoints: [{ occurredAt: '2026-01-15T00:00:00Z', satisfaction: { scale: 'csat', score: 1 } }],
    profile: [
      { from: '2026-01-10T12:00:00Z', channel: 'web' },
      { from: '2026-02-01T00:00:00Z', tags: ['vip'] },
      { from: '2026-05-05T00:00:00Z', tags: [] },
    ],
  });
  t.equal(status, 200);
  t.same(
    body.transitions.map((row: Record<string, unknown>) => [
      row.effectiveAt,
      row.to,
      row.cause,
      row.causeId,
      row.event,
    ]),
    [
      ['2026-01-10T12:00:00.000Z', 'new', 'order', 'orders/000', 'customer.stage_changed'],
      ['2026-01-15T00:00:00.000Z', 'declining', 'touchpoint', 'touchpoints/000', 'customer.declining'],
      ['2026-01-25T00:00:00.000Z', 'new', 'time', null, 'customer.stage_changed'],
      ['2026-02-01T00:00:00.000Z', 'mature', 'profile', 'profile/001', 'customer.stage_changed'],
      ['2026-02-24T12:00:00.000Z', 'declining', 'time', null, 'customer.declining'],
      ['2026-04-10T12:00:00.000Z', 'churned', 'time', null, 'customer.churned'],
      ['2026-05-01T00:00:00.000Z', 'mature', 'order', 'orders/001', 'customer.reactivated'],
      ['2026-05-05T00:00:00.000Z', 'new', 'profile', 'profile/002', 'customer.stage_changed'],
    ],
  );
  t.match(body.explanation, { stage: 'new', next: { at: '2026-06-15T00:00:00.000Z', stage: 'declining' } });
  t.match(body.explanation.sentences.en, /^New since 2026-05-05/);
  t.match(body, { policyId: id, version: null, calibrationVersion: 0 });
});

t.test('it may go on into the future, with a hold on the way, and nobody comes of it', async (t) => {
  const { body } = await simulate({
    until: '2027-01-01T00:00:00Z',
    orders: [{ placedAt: '2026-12-01T00:00:00Z' }],
    moves: [{ at: '2026-12-02T00:00:00Z', to: 'churned', holdUntil: '2026-12-12T00:00:00Z' }],
  });
  t.same(
    body.transitions.map((row: Record<string, unknown>) => [row.to, row.cause]),
    [
      ['new', 'order'],
      ['churned', 'manual'],
      ['new', 'hold_ended'],
    ],
  );
  t.same((await inject('GET', '/v1/customers')).json().data, []);
});

t.test('nothing at all is a prospect, under the live policy too', async (t) => {
  const { body } = await simulate({}, 'live');
  t.match(body.transitions, [{ from: null, to: 'prospect', cause: 'created' }]);
  t.equal(body.transitions.length, 1);
});

t.test('what cannot be is refused with a pointer to it', async (t) => {
  const unknown = await simulate({ moves: [{ at: '2026-01-01T00:00:00Z', to: 'gone' }] });
  t.match(unknown, { status: 400, body: { errors: [{ pointer: '/moves/0/to' }] } });
  const long = await simulate({
    orders: [{ placedAt: '1990-01-01T00:00:00Z' }],
    until: '2090-01-01T00:00:00Z',
  });
  t.match(long, { status: 400, body: { errors: [{ pointer: '/until' }] } });
  t.equal((await simulate({}, '4711')).status, 404);
  t.equal((await simulate({ orders: [{}] })).status, 400);
});
