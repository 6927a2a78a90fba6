// What is delivered, held against the library that partners use: it believes each webhook as it was received, and
// none that was changed on its way, is too old or too new, or is held against another secret.

import { Webhook } from 'standardwebhooks';
import t from 'tap';
import type { ReceivedRequest } from '../helpers/receiver.js';
import { openPartner, SECRET, untilReceived } from './partner.js';

t.setTimeout(120_000);

/** Whether the library believes it at this moment. */
function isBelieved({ headers, body }: Pick<ReceivedRequest, 'headers' | 'body'>, secret = SECRET): boolean {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

t.test('webhooks that were really delivered', async (t) => {
  const partner = await openPartner(t);
  await partner.post('/v1/webhook-endpoints', {
    url: partner.receiver.url,
    eventTypes: ['*'],
    secret: SECRET,
  });
  // In every kind of letter, since what is signed are bytes.
  const name = 'Zoë Ł. 顾客 🛍️ "\\';
  await partner.post('/v1/customers', { name, externalIds: [{ namespace: 'shop', id: 'zoë' }] });
  await partner.order('zoë');
  await partner.order('zoë');
  // Of both orders; what came before them has been sent before or is sent beside them.
  await untilReceived(partner.receiver, 'order.recorded', 2);
  const { requests } = partner.receiver;

  t.ok(requests.length >= 4, `${requests.length} webhooks`);
  t.ok(
    requests.some(({ body }) => body.includes(name.slice(0, 12))),
    'one of them is not ASCII',
  );
  for (const request of requests) t.ok(isBelieved(request), `${request.headers['webhook-id']}`);

  await t.test('a flipped bit of any byte of a body is refused', async (t) => {
    const [request] = requests;
    if (request === undefined) throw new Error('nothing was received');
    for (let index = 0; index < request.body.length; index += 1) {
      const changed = String.fromCharCode(request.body.charCodeAt(index) ^ 1);
      const body = request.body.slice(0, index) + changed + request.body.slice(index + 1);
      if (isBelieved({ ...request, body })) t.fail(`character ${index}`);
    }
    t.notOk(isBelieved({ ...request, body: `${request.body} ` }), 'a longer one is, too');
  });

  await t.test('another id, another timestamp and a damaged signature are refused', async (t) => {
    for (const { headers, body } of requests) {
      const changed = (name: string, value: string) => ({ body, headers: { ...headers, [name]: value } });
      t.notOk(isBelieved(changed('webhook-id', crypto.randomUUID())));
      const timestamp = Number(headers['webhook-timestamp']);
      for (const by of [-1, 1]) t.notOk(isBelieved(changed('webhook-timestamp', String(timestamp + by))));
      const signature = headers['webhook-signature'] ?? '';
      const damaged = signature.slice(0, 3) + (signature[3] === 'A' ? 'B' : 'A') + signature.slice(4);
      t.notOk(isBelieved(changed('webhook-signature', damaged)));
      for (const missing of ['webhook-id', 'webhook-timestamp', 'webhook-signature'])
        t.notOk(isBelieved(changed(missing, '')), `without ${missing}`);
    }
  });

  await t.test(
    'held up for 301 seconds, or from as far ahead, it is refused; for 300 it is not',
    async (t) => {
      for (const request of requests) {
        const sentMs = Number(request.headers['webhook-timestamp']) * 1_000;
        for (const offsetS of [-301, -300, 300, 301]) {
          // The library reads the wall clock: here it stands where the receiver's would.
          const { restore } = t.intercept(Date, 'now', { value: () => sentMs + offsetS * 1_000 });
          t.equal(isBelieved(request), Math.abs(offsetS) <= 300, `${offsetS} s`);
          restore();
        }
      }
    },
  );

  await t.test('another secret is refused, however little it differs', async (t) => {
    for (const request of requests) {
      const bytes = Buffer.alloc(32, 9);
      bytes[31] = 8;
      t.notOk(isBelieved(request, `whsec_${bytes.toString('base64')}`));
    }
  });
});
