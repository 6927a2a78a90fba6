// Deleting an endpoint: what belongs to it goes with it, or nothing does.

import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { startService } from '../helpers/service.js';
import { endpointOf, tell } from '../outbox/teller.js';

const PATH = '/v1/webhook-endpoints';

t.test('an endpoint that is deleted', async (t) => {
  const service = await startService(t);
  const { database } = service;
  const shown = async (id: string) => (await service.inject('GET', `${PATH}/${id}`)).json();
  const countOf = async (id: string) =>
    (await service.inject('GET', `${PATH}/${id}/deliveries?status=pending`)).json().data.length;
  const isAnybodyWaiting = async () => {
    const waiting = await database.read(service.tenant.id, (executor) =>
      executor.rows({
        // Whoever waits for a row's transaction is first in its line, which is a lock of its own.
        text: `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                WHERE d.datname = current_database() AND l.locktype = 'tuple'`,
      }),
    );
    return waiting.length > 0;
  };

  await t.test('by who knew it as it was a moment ago loses nothing', async (t) => {
    const id = await endpointOf(service, 'https://partner.example.com/');
    await tell(service, [{}, {}, {}]);
    let change: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => {
      change = resolve;
    });
    let hold: () => void = () => undefined;
    const isHeld = new Promise<void>((resolve) => {
      hold = resolve;
    });
    const changing = database.write(service.context(), async (tx) => {
      await tx.rows({
        text: 'UPDATE webhook_endpoints SET version = version + 1 WHERE tenant_id = $1 AND id = $2',
        values: [service.tenant.id, id],
      });
      hold();
      await changed;
    });
    await isHeld;
    let isAnswered = false;
    const deleting = service
      .inject('DELETE', `${PATH}/${id}`, { headers: { 'if-match': '"1"' } })
      .finally(() => {
        isAnswered = true;
      });
    while (!isAnswered && !(await isAnybodyWaiting())) await nextTurn();
    change();
    await changing;
    t.equal((await deleting).statusCode, 412);
    t.match(await shown(id), { status: 'active', disabledReason: null, version: 2 });
    t.equal(await countOf(id), 3);
  });

  await t.test('is gone with its deliveries, and nobody is told that it was disabled', async (t) => {
    const id = await endpointOf(service, 'https://partner.example.com/');
    const other = await endpointOf(service, 'https://other.example.com/', { eventTypes: ['webhook.*'] });
    await tell(service, [{}, {}]);
    const deleted = await service.inject('DELETE', `${PATH}/${id}`, { headers: { 'if-match': '"1"' } });
    t.equal(deleted.statusCode, 204, deleted.body);
    t.equal((await service.inject('GET', `${PATH}/${id}`)).statusCode, 404);
    const left = await database.read(service.tenant.id, (executor) =>
      executor.rows({
        text: 'SELECT FROM deliveries WHERE tenant_id = $1 AND endpoint_id = $2',
        values: [service.tenant.id, id],
      }),
    );
    t.equal(left.length, 0);
    t.equal(await countOf(other), 0);
  });
});
