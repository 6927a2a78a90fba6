// What receivers answer while a customer is being erased: they may say what they were sent, and it is not kept.

import t from 'tap';
import { createReceiver } from '../helpers/receiver.js';
import { startService } from '../helpers/service.js';
import { openShop } from '../orders/shop.js';
import { deliverAll } from '../outbox/teller.js';
import { openRows } from '../routes/rows.js';

const NAME = 'Zephyrine Quackenbush';
const shared = await startService(t, { now: '2026-03-02T09:00:00.000Z' });
const rows = await openRows(t, shared);

t.test('what a receiver answers is not kept where the customer was erased meanwhile', async (t) => {
  const shop = await openShop(shared, 'answered');
  const { inject } = shop.service;
  const attempts = () =>
    rows.query<{ customer: string; body: string | null }>(
      `SELECT e.customer_id AS customer, response_body AS body FROM delivery_attempts a
         JOIN deliveries d ON d.tenant_id = a.tenant_id AND d.id = a.delivery_id
         JOIN events e ON e.tenant_id = d.tenant_id AND e.id = d.event_id
        WHERE a.tenant_id = '${shop.service.tenant.id}' AND e.type = 'customer.created'`,
    );
  const receiver = await createReceiver(t, {
    async respond({ body }) {
      const { type, data } = JSON.parse(body);
      if (type === 'customer.created' && body.includes(NAME)) {
        await inject('DELETE', `/v1/customers/${data.customer.id}`);
      }
      return { status: 200, body };
    },
  });
  await inject('POST', '/v1/webhook-endpoints', { body: { url: receiver.url } });
  const { id } = (await inject('POST', '/v1/customers', { body: { name: NAME } })).json();
  const other = await shop.customer('other');
  await deliverAll(t, shop.service);
  const kept = new Map((await attempts()).map(({ customer, body }) => [customer, body]));
  t.ok(kept.has(id));
  t.equal(kept.get(id), null);
  t.match(kept.get(other), other, 'what is answered to others is');
});
