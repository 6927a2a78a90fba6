// Backtests and who is erased.

import t from 'tap';
import { createBacktestsService } from '../../src/backtests/service.js';
import { startService } from '../helpers/service.js';
import { runAll, show } from './cdnow.js';
import { BODY, NOW, openShop as openShopOn, post } from './shop.js';

const shared = await startService(t, { now: NOW });
const openShop = (slug: string) => openShopOn(shared, slug);

t.test('what names a person goes with them, of those that are done and of those under way', async (t) => {
  const service = await openShop('erased');
  const { inject } = service;
  const say = (attributes: object) =>
    inject('PATCH', '/v1/customers/ext:crm:gone', { body: { owner: 'her sister', attributes } });
  await say({ tier: 'gold', note: 'lives "alone"', vip: true });
  const named = {
    note: (await post(service, { ...BODY, segmentBy: 'attribute:note' })).json(),
    owner: (await post(service, { ...BODY, segmentBy: 'owner' })).json(),
  };
  const kept = {
    vip: (await post(service, { ...BODY, segmentBy: 'attribute:vip' })).json(),
    channel: (await post(service, { ...BODY, segmentBy: 'channel' })).json(),
    none: (await post(service, BODY)).json(),
  };
  await runAll(service);
  t.equal((await show(service, named.note.id)).status, 'done');
  await say({ note: null });
  const underWay = (await post(service, { ...BODY, segmentBy: 'owner' })).json();
  const { histories } = service.services.transitions;
  const backtests = createBacktestsService({
    ...{ database: service.database, policies: service.services.policies, offload: service.services.offload },
    clock: service.clock.now,
    histories: {
      ...histories,
      async next(...given) {
        const read = await histories.next(...given);
        const erased = await inject('DELETE', '/v1/customers/ext:crm:gone');
        t.ok([200, 404].includes(erased.statusCode), erased.body);
        return read;
      },
    },
    onFailure: ({ error }) => t.fail(String(error)),
  });
  await backtests.advance(service.clock.now());
  for (const [what, { id }] of Object.entries(named)) {
    t.equal((await inject('GET', `/v1/backtests/${id}`)).statusCode, 404, what);
  }
  for (const [what, { id }] of Object.entries(kept)) t.equal((await show(service, id)).status, 'done', what);
  t.match(await show(service, underWay.id), { customersDone: 0, report: null }, 'it begins again');
  await runAll(service);
  const done = await show(service, underWay.id);
  t.match(done, { status: 'done', customersDone: 4 });
  t.notMatch(JSON.stringify(done), 'her sister');
});
