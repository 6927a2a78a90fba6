import t from 'tap';
import { startService } from '../helpers/service.js';
import {
  askForReplay as ask,
  endpointOf,
  type Replay,
  replayDue,
  showReplay as show,
  tell,
} from './teller.js';

const DAY_MS = 86_400_000;

t.test('replays, and what may be done with them', async (t) => {
  const shared = await startService(t);

  await t.test('ends: cancelled by a person, or with its endpoint', async (t) => {
    const service = await shared.forTenant('ends');
    await tell(service, [{}, {}]);
    const endpointId = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    const path = `/v1/webhook-endpoints/${endpointId}/replays`;
    const from = '2026-03-01T00:00:00Z';
    const cancelled = await ask(service, endpointId, { from });
    for (let time = 0; time < 2; time++) {
      const answer = await service.inject('POST', `${path}/${cancelled.id}/cancel`);
      t.equal(answer.statusCode, 200);
      t.match(answer.json(), { status: 'cancelled', deliveriesQueued: 0 });
    }
    t.equal(await replayDue(service), 0);
    const done = await ask(service, endpointId, { from });
    await replayDue(service);
    const late = await service.inject('POST', `${path}/${done.id}/cancel`);
    t.match([late.statusCode, late.json().code], [409, 'replay_done']);
    const disabled = await ask(service, endpointId, { from });
    await service.database.write(service.context(), (tx) =>
      service.services.webhooks.disable(tx, service.context(), [{ id: endpointId, reason: 'gone' }]),
    );
    await replayDue(service);
    t.match(await show(service, endpointId, disabled), { status: 'cancelled', deliveriesQueued: 0 });
    const refused = await service.inject('POST', path, { body: { from } });
    t.match([refused.statusCode, refused.json().code], [409, 'endpoint_not_active']);
    t.equal((await service.inject('DELETE', `/v1/webhook-endpoints/${endpointId}`)).statusCode, 204);
    t.equal((await service.inject('GET', `${path}/${done.id}`)).statusCode, 404);
    t.equal((await service.inject('GET', path)).statusCode, 404);
  });

  await t.test('what cannot be asked for', async (t) => {
    const service = await shared.forTenant('refused');
    const now = service.clock.now().getTime();
    const at = (days: number) => new Date(now + days * DAY_MS).toISOString();
    const endpointId = await endpointOf(service, 'https://127.0.0.1/', { status: 'paused' });
    const path = `/v1/webhook-endpoints/${endpointId}`;
    const refuse = async (url: string, body: object) => {
      const answer = await service.inject('POST', url, { body });
      return [answer.statusCode, answer.json().code, answer.json().errors?.[0]?.pointer];
    };
    t.same(await refuse(`${path}/replays`, { from: at(0) }), [400, 'invalid_range', '/from']);
    t.same(await refuse(`${path}/replays`, { from: at(-91) }), [400, 'invalid_range', '/from']);
    t.same(await refuse(`${path}/replays`, { from: at(-2), to: at(-3) }), [400, 'invalid_range', '/from']);
    t.same(await refuse(`${path}/recover`, { since: at(1) }), [400, 'invalid_range', '/since']);
    for (let running = 0; running < 5; running++) await ask(service, endpointId, { from: at(-90) });
    t.same(await refuse(`${path}/replays`, { from: at(-1) }), [409, 'too_many_replays', undefined]);
    t.same(await refuse(`${path}/recover`, { since: at(-1) }), [409, 'too_many_replays', undefined]);
    const unknown = path.replace(endpointId, service.tenant.id);
    t.same(await refuse(`${unknown}/recover`, { since: at(-1) }), [
      404,
      'webhook_endpoint_not_found',
      undefined,
    ]);
    const pages: string[] = [];
    for (let cursor = ''; ; ) {
      const page = (await service.inject('GET', `${path}/replays?limit=2${cursor}`)).json();
      pages.push(...page.data.map(({ id }: Replay) => id));
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    t.equal(new Set(pages).size, 5);
    t.same(pages, pages.toSorted().reverse(), 'newest first');
  });
});
