// Versions of orders: ETags, If-Match and If-None-Match.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { contentOf, openShop, orderOf } from './shop.js';

const shared = await startService(t);
const REFUND = { externalId: 'r', amountMinor: 1 };

t.test('an order that the reader has is not sent again', async (t) => {
  const shop = await openShop(shared, 'reads');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  const read = (known: string) =>
    shop.service.inject('GET', '/v1/orders/ext:shop:o1', { headers: { 'if-none-match': known } });
  for (const known of ['"1"', 'W/"1"', '"7", "1"', '*']) {
    const answer = await read(known);
    t.equal(answer.statusCode, 304, known);
    t.equal(answer.body, '');
    t.equal(answer.headers.etag, '"1"');
  }
  t.equal((await read('"2"')).statusCode, 200);
  await shop.put('o1', contentOf('ann', '2026-02-21'));
  const changed = await read('"1"');
  t.equal(changed.statusCode, 200, 'a change makes it another');
  t.equal(changed.headers.etag, '"2"');
});

t.test('a write is made at the version that the writer has seen, or not at all', async (t) => {
  const shop = await openShop(shared, 'writes');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  const body = contentOf('ann', '2026-02-21');
  const before = [await shop.order('o1'), await shop.events('ann')];
  for (const seen of ['"2"', 'W/"1"', '"0"', '"x"']) {
    const headers = { 'if-match': seen };
    for (const refused of [
      await shop.put('o1', body, headers),
      await shop.cancel('o1', headers),
      await shop.refund('o1', REFUND, headers),
    ]) {
      t.equal(refused.statusCode, 412, seen);
      t.equal(refused.json().code, 'version_mismatch');
    }
  }
  t.strictSame([await shop.order('o1'), await shop.events('ann')], before);
  t.match((await shop.put('o1', body, { 'if-match': '"1"' })).json(), { version: 2 });
  t.match((await shop.refund('o1', REFUND, { 'if-match': '"2"' })).json(), { version: 3 });
  t.match((await shop.cancel('o1', { 'if-match': '*' })).json(), { version: 4 });
});

t.test('a PUT with If-Match creates nothing', async (t) => {
  const shop = await openShop(shared, 'creates');
  await shop.customer('ann');
  for (const seen of ['*', '"1"']) {
    const refused = await shop.put('o1', contentOf('ann', '2026-02-21'), { 'if-match': seen });
    t.equal(refused.statusCode, 412, seen);
  }
  t.same((await shop.service.inject('GET', '/v1/orders')).json().data, []);
});

t.test('an If-Match that is no entity tag is a 400', async (t) => {
  const shop = await openShop(shared, 'garbage');
  await shop.customer('ann');
  await shop.post(orderOf('ann', 'o1', '2026-02-20'));
  for (const seen of ['1', '"1', '"1", "2"']) {
    const refused = await shop.put('o1', contentOf('ann', '2026-02-21'), { 'if-match': seen });
    t.equal(refused.statusCode, 400, seen);
    t.match(refused.json(), { errors: [{ pointer: '/header/if-match' }] });
  }
});
