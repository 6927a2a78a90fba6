// Places in the feed beside an erasure, which rewrites the texts of events that may have none yet.

import t from 'tap';
import { createOutboxErasure } from '../../src/outbox/erasure-service.js';
import { createTold } from '../../src/outbox/held-service.js';
import { numberEvents } from '../../src/outbox/number.js';
import { createPrivacyService } from '../../src/privacy/service.js';
import { startService } from '../helpers/service.js';
import { merge, undo } from '../merges/twins.js';
import { openShop, orderOf } from '../orders/shop.js';
import { done } from '../policies/desk.js';
import { openRows } from '../routes/rows.js';

const shared = await startService(t, { now: '2026-03-02T09:00:00.000Z' });
const rows = await openRows(t, shared);

for (const meanwhile of ['the numbering job', 'a batch that gives places at once'] as const) {
  t.test(`a customer’s events keep their order while they are rewritten beside ${meanwhile}`, async (t) => {
    const { service } = await openShop(shared, `feed-${meanwhile.length}`);
    const { inject, database, services, clock } = service;
    const shop = { service } as Parameters<typeof merge>[0];
    const put = async (name: string): Promise<string> =>
      done(await inject('PUT', `/v1/customers/ext:crm:${name}`, { body: { name } })).json().id;
    const [host, guest] = [await put('ann'), await put('anna')];
    const rename = async (name: string) =>
      done(await inject('PATCH', `/v1/customers/${host}`, { body: { name } }));
    clock.advance(1_000);
    const { id: mergeId } = done(await merge(shop, host, guest)).json();
    clock.advance(1_000);
    await rename('During');
    clock.advance(1_000);
    done(await undo(shop, host, mergeId));
    clock.advance(1_000);
    await rename('After');
    const number = () => numberEvents(database, { tenantId: service.tenant.id, now: clock.now() });

    const own = createOutboxErasure();
    let during: Promise<unknown> = Promise.resolve();
    const told = {
      ...own,
      ...createTold(),
      erase: async (...given: Parameters<typeof own.erase>) => {
        await own.erase(...given);
        // The texts are rewritten and not committed: whoever gives places now sees the events as they were.
        const items = Array.from({ length: 30 }, (_, i) => orderOf('ann', `z${i}`, '2026-02-01'));
        during =
          meanwhile === 'the numbering job'
            ? number()
            : inject('POST', '/v1/orders/batch', { body: { items } }).then(done);
        await Promise.race([during, new Promise((resolve) => setTimeout(resolve, 300))]);
      },
    };
    const privacy = createPrivacyService({ ...services, database, told });
    await privacy.erase(service.context(), { ref: guest, expected: undefined });
    await during;
    while ((await number()) > 0);

    const feed = await rows.query<{ customer_id: string; sequence: number; position: number }>(
      `SELECT customer_id, sequence::int, position::int FROM events
        WHERE tenant_id = '${service.tenant.id}' AND position > 0 ORDER BY position`,
    );
    t.same(
      feed.map(({ position }) => position),
      feed.map((_, index) => index + 1),
      'the places have no gap',
    );
    const sequences = feed.filter(({ customer_id }) => customer_id === host).map(({ sequence }) => sequence);
    t.ok(sequences.length >= 5);
    t.same(
      sequences,
      sequences.map((_, index) => index + 1),
    );
  });
}
