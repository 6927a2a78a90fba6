// What is wrong with an order is said at its place, and nothing of it is kept.

import t, { type Test } from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, openShop, orderOf } from './shop.js';

const shared = await startService(t);
const shop = await openShop(shared, 'faults');
await shop.customer('ann');
const before = await shop.profile('ann');

const line = { product: 'p', quantity: 1, unitPriceMinor: 1 };
const refunded = (...refunds: [string, number][]) => {
  return { refunds: refunds.map(([externalId, amountMinor]) => ({ externalId, amountMinor })) };
};

const FAULTS: [what: string, more: object, pointer: string][] = [
  ['no customer', { customer: undefined }, '/customer'],
  ['a customer by half a reference', { customer: 'ext:crm' }, '/customer'],
  ['a customer by number', { customer: 12 }, '/customer'],
  ['an unknown field of a customer', { customer: { email: 'a@example.com', age: 3 } }, '/customer/age'],
  ['no time', { placedAt: undefined }, '/placedAt'],
  ['a day without a time', { placedAt: '2026-02-20' }, '/placedAt'],
  ['a day that does not exist', { placedAt: '2026-02-30T00:00:00Z' }, '/placedAt'],
  ['a time before 1970', { placedAt: '1969-12-31T23:59:59Z' }, '/placedAt'],
  ['a time after 2099', { placedAt: '2100-01-01T00:00:00Z' }, '/placedAt'],
  ['a time next year', { placedAt: '2027-02-20T12:00:00Z' }, '/placedAt'],
  ['no amount', { amountMinor: undefined }, '/amountMinor'],
  ['a negative amount', { amountMinor: -1 }, '/amountMinor'],
  ['a fraction of a cent', { amountMinor: 10.5 }, '/amountMinor'],
  ['an amount as text', { amountMinor: '1000' }, '/amountMinor'],
  ['an amount past 2^53', { amountMinor: 2 ** 53 }, '/amountMinor'],
  ['more than an order can cost', { amountMinor: 10_000_000_000_001 }, '/amountMinor'],
  ['a currency that does not exist', { currency: 'XXX' }, '/currency'],
  ['a currency in small letters', { currency: 'eur' }, '/currency'],
  ['a status that there is not', { status: 'shipped' }, '/status'],
  ['an unknown field', { total: 3 }, '/total'],
  ['null for a list', { lines: null }, '/lines'],
  ['a line without a product', { lines: [line, { quantity: 1, unitPriceMinor: 1 }] }, '/lines/1/product'],
  ['a line of none', { lines: [{ ...line, quantity: 0 }] }, '/lines/0/quantity'],
  ['a line at a negative price', { lines: [{ ...line, unitPriceMinor: -1 }] }, '/lines/0/unitPriceMinor'],
  ['an unknown field in a line', { lines: [{ ...line, colour: 'red' }] }, '/lines/0/colour'],
  ['more lines than an order has', { lines: Array.from({ length: 1_001 }, () => line) }, '/lines'],
  ['a NUL character', { lines: [{ ...line, product: 'a\u0000b' }] }, '/lines/0/product'],
  ['half a character', { lines: [{ ...line, product: 'a\ud800' }] }, '/lines/0/product'],
  ['a control character', { lines: [{ ...line, product: 'a\u0007b' }] }, '/lines/0/product'],
  ['a refund of nothing', refunded(['r', 0]), '/refunds/0/amountMinor'],
  ['two refunds of one id', refunded(['r', 1], ['s', 1], ['r', 1]), '/refunds/2/externalId'],
  ['more refunded than paid', refunded(['r', 600], ['s', 401]), '/refunds/1/amountMinor'],
  ['a source time that is none', { sourceUpdatedAt: 'yesterday' }, '/sourceUpdatedAt'],
];

const POST_FAULTS: typeof FAULTS = [
  ['an external id without a namespace', { externalId: { id: 'x' } }, '/externalId/namespace'],
  ['an external id that is a text', { externalId: 'x' }, '/externalId'],
  ['a namespace in capitals', { externalId: { namespace: 'Shop', id: 'x' } }, '/externalId/namespace'],
  ['an empty external id', { externalId: { namespace: 'shop', id: '' } }, '/externalId/id'],
];

function assertRefused(
  t: Test,
  what: string,
  answer: { statusCode: number; body: string },
  pointer: string,
): void {
  t.equal(answer.statusCode, 400, what);
  const { errors = [] } = JSON.parse(answer.body) as { errors?: { pointer: string }[] };
  t.ok(
    errors.some((fault) => fault.pointer === pointer),
    `${what}: ${answer.body}`,
  );
}

t.test('a fault is a 400 at its place, by POST and by PUT', async (t) => {
  for (const [what, more, pointer] of FAULTS) {
    assertRefused(t, what, await shop.post(orderOf('ann', 'o1', '2026-02-20', more)), pointer);
    assertRefused(t, `${what}, by PUT`, await shop.put('o1', contentOf('ann', '2026-02-20', more)), pointer);
  }
  for (const [what, more, pointer] of POST_FAULTS) {
    assertRefused(t, what, await shop.post(orderOf('ann', 'o1', '2026-02-20', more)), pointer);
  }
});

t.test('a PUT names its order in the path, by external id', async (t) => {
  const body = contentOf('ann', '2026-02-20');
  assertRefused(
    t,
    'also in the body',
    await shop.put('o1', orderOf('ann', 'o1', '2026-02-20')),
    '/externalId',
  );
  const id = '0190a000-0000-7000-8000-000000000000';
  assertRefused(t, 'by id', await shop.service.inject('PUT', `/v1/orders/${id}`, { body }), '/path/ref');
  assertRefused(
    t,
    'by no reference',
    await shop.service.inject('PUT', '/v1/orders/o1', { body }),
    '/path/ref',
  );
});

t.test('all of that has left nothing behind', async (t) => {
  t.same((await shop.service.inject('GET', '/v1/orders')).json().data, []);
  t.strictSame(await shop.profile('ann'), before);
  t.equal((await shop.service.inject('GET', '/v1/customers')).json().data.length, 1);
});
