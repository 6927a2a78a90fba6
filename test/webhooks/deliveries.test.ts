import t from 'tap';
import { createReceiver } from '../helpers/receiver.js';
import { startService, type TestService } from '../helpers/service.js';
import { deliverAll, endpointOf, replayDue, tell } from '../outbox/teller.js';

const DAY_MS = 86_400_000;

interface Delivery {
  id: string;
  eventId: string;
  eventType: string;
  endpointId: string;
  status: string;
  replayOf: string | null;
  afterDeadLetter: string | null;
}

/** Until the last attempt has been made. */
async function giveUp(t: Parameters<typeof deliverAll>[0], service: TestService): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt++) {
    await deliverAll(t, service);
    service.clock.advance(DAY_MS / 4);
  }
}

async function list(service: TestService, query: string): Promise<Delivery[]> {
  const answer = await service.inject('GET', `/v1/webhook-deliveries${query}`);
  if (answer.statusCode !== 200) throw new Error(answer.body);
  return answer.json().data;
}

async function act(service: TestService, id: string, verb: 'resend' | 'discard') {
  return service.inject('POST', `/v1/webhook-deliveries/${id}/${verb}`);
}

t.test('deliveries, looked at and decided on', async (t) => {
  const shared = await startService(t);

  await t.test('lists: of all endpoints, by each filter, page by page', async (t) => {
    const service = await shared.forTenant('lists');
    const { clock } = service;
    const first = await endpointOf(service, 'https://127.0.0.1/1', { status: 'paused' });
    const second = await endpointOf(service, 'https://127.0.0.1/2', { status: 'paused' });
    const told: string[] = [];
    for (let round = 0; round < 4; round++) {
      told.push(...(await tell(service, [{ type: round % 2 === 0 ? 'order.recorded' : 'order.cancelled' }])));
      clock.advance(1_000);
    }
    const all = await list(service, '');
    t.same(
      all.map(({ eventId }) => eventId),
      told.toReversed().flatMap((id) => [id, id]),
      'newest first',
    );
    t.same(new Set(all.map(({ endpointId }) => endpointId)), new Set([first, second]));
    t.equal((await list(service, `?endpointId=${first}`)).length, 4);
    t.same(await list(service, '?eventType=order.recorded&status=pending'), [
      ...all.slice(2, 4),
      ...all.slice(6),
    ]);
    t.same(await list(service, '?status=exhausted'), []);
    const since = new Date(clock.now().getTime() - 2_000).toISOString();
    t.same(await list(service, `?createdFrom=${since}`), all.slice(0, 4));
    t.same(await list(service, `?createdTo=${since}`), all.slice(4));
    const ofFirst = await service.inject(
      'GET',
      `/v1/webhook-endpoints/${first}/deliveries?createdTo=${since}`,
    );
    t.equal(ofFirst.json().data.length, 2);
    const every = `?endpointId=${first}&status=discarded&eventType=order.recorded&createdFrom=${since}`;
    t.same(await list(service, `${every}&createdTo=${since}`), []);
    for (const filter of [
      '',
      `&endpointId=${second}`,
      '&eventType=order.cancelled',
      `&createdFrom=${since}`,
    ]) {
      const whole = await list(service, `?limit=200${filter}`);
      const paged: Delivery[] = [];
      for (let cursor = ''; ; ) {
        const page = await service.inject('GET', `/v1/webhook-deliveries?limit=3${filter}${cursor}`);
        t.equal(page.statusCode, 200, page.body);
        paged.push(...page.json().data);
        if (page.json().nextCursor === null) break;
        cursor = `&cursor=${page.json().nextCursor}`;
      }
      t.same(paged, whole, filter);
    }
  });

  await t.test('dead letters: listed, resent one by one or all since a time, discarded', async (t) => {
    const service = await shared.forTenant('dead');
    const { clock } = service;
    let status = 503;
    const receiver = await createReceiver(t, { respond: () => ({ status }) });
    const other = await createReceiver(t);
    const endpointId = await endpointOf(service, receiver.url);
    await endpointOf(service, other.url);
    const since = clock.now().toISOString();
    const told = await tell(service, [{}, { type: 'order.recorded' }, {}]);
    const [pending] = await list(service, `?endpointId=${endpointId}`);
    t.match((await act(service, pending?.id ?? '', 'resend')).json(), { code: 'delivery_pending' });
    await giveUp(t, service);
    const dead = await list(service, '?status=exhausted');
    t.same(dead.map(({ eventId }) => eventId).sort(), told.toSorted());
    t.match(await list(service, '?status=exhausted&eventType=order.recorded'), [{ eventId: told[1] }]);
    t.same(await list(service, `?status=exhausted&endpointId=${endpointId}`), dead);
    const of = (eventId: string | undefined) =>
      dead.find((delivery) => delivery.eventId === eventId)?.id ?? '';
    status = 200;
    // The breaker's time is over by now.
    clock.advance(DAY_MS);
    const attempts = receiver.requests.length;

    const resent = await act(service, of(told[0]), 'resend');
    t.equal(resent.statusCode, 202, resent.body);
    t.match(resent.json(), { status: 'pending', replayOf: of(told[0]), eventId: told[0], attemptCount: 0 });
    await deliverAll(t, service);
    const again = receiver.requests.at(-1);
    t.equal(again?.headers['webhook-id'], told[0]);
    t.equal(again?.headers['perennial-replay'], of(told[0]));
    const shown = (await service.inject('GET', `/v1/webhook-deliveries/${resent.json().id}`)).json();
    t.match(shown, { status: 'succeeded', attempts: [{ number: 1, status: 200 }] });

    const discarded = await act(service, of(told[2]), 'discard');
    t.match([discarded.statusCode, discarded.json().status], [200, 'discarded'], discarded.body);
    t.same((await act(service, of(told[2]), 'discard')).json(), discarded.json(), 'once is enough');
    t.match((await act(service, resent.json().id, 'discard')).json(), { code: 'delivery_succeeded' });
    t.match(await list(service, '?status=discarded'), [{ id: of(told[2]) }]);

    const path = `/v1/webhook-endpoints/${endpointId}/recover`;
    const tooLate = await service.inject('POST', path, { body: { since: clock.now().toISOString() } });
    t.equal(tooLate.statusCode, 400);
    const recovered = await service.inject('POST', path, { body: { since } });
    t.match(recovered.json(), { scope: 'failed', eventTypes: ['*'], from: since, status: 'running' });
    t.equal(await replayDue(service), 1, 'neither what has arrived since, nor what was given up by a person');
    await deliverAll(t, service);
    t.equal(receiver.requests.at(-1)?.headers['webhook-id'], told[1]);
    t.equal(receiver.requests.length, attempts + 2);
    await service.inject('POST', path, { body: { since } });
    t.equal(await replayDue(service), 0, 'all has arrived');
    t.equal(other.requests.length, 3, 'nobody else hears of it');
  });

  await t.test('who resends to an endpoint that takes nothing is told so', async (t) => {
    const service = await shared.forTenant('inactive');
    const receiver = await createReceiver(t);
    const endpointId = await endpointOf(service, receiver.url);
    await tell(service, [{}]);
    await deliverAll(t, service);
    const [delivery] = await list(service, '');
    await service.inject('PATCH', `/v1/webhook-endpoints/${endpointId}`, { body: { status: 'paused' } });
    const refused = await act(service, delivery?.id ?? '', 'resend');
    t.match([refused.statusCode, refused.json().code], [409, 'endpoint_not_active']);
    for (const verb of ['resend', 'discard'] as const) {
      const unknown = await act(service, service.tenant.id, verb);
      t.match([unknown.statusCode, unknown.json().code], [404, 'delivery_not_found']);
    }
  });

  await t.test('a discarded delivery lets the customer’s next one go, which says so', async (t) => {
    const service = await shared.forTenant('ordered');
    let status = 500;
    const receiver = await createReceiver(t, { respond: () => ({ status }) });
    await endpointOf(service, receiver.url, { ordering: 'per_customer' });
    const customerId = service.tenant.id;
    const of = (sequence: number) => ({ type: 'order.recorded', customerId, sequence });
    const told = await tell(service, [of(1), of(2)]);
    await deliverAll(t, service);
    t.equal(receiver.requests.length, 1, 'the second waits for the first');
    status = 200;
    const [second, first] = await list(service, '');
    t.equal((await act(service, first?.id ?? '', 'discard')).statusCode, 200);
    await deliverAll(t, service);
    t.equal(receiver.requests.at(-1)?.headers['webhook-id'], told[1]);
    t.match(await list(service, '?status=succeeded'), [{ id: second?.id, afterDeadLetter: first?.id }]);
  });

  await t.test('what is discarded while it is being sent stays discarded', async (t) => {
    const service = await shared.forTenant('in-flight');
    const receiver = await createReceiver(t, {
      respond: async () => {
        const [delivery] = await list(service, '');
        const discarded = await act(service, delivery?.id ?? '', 'discard');
        return { status: discarded.statusCode };
      },
    });
    await endpointOf(service, receiver.url);
    await tell(service, [{}]);
    await deliverAll(t, service);
    t.equal(receiver.requests.length, 1);
    t.match(await list(service, ''), [{ status: 'discarded', attemptCount: 0 }]);
  });

  await t.test('attempts and figures of an endpoint', async (t) => {
    const service = await shared.forTenant('figures');
    const { clock } = service;
    const answers = [200, 500, 204, 301];
    const receiver = await createReceiver(t, { respond: () => ({ status: answers.shift() ?? 200 }) });
    const endpointId = await endpointOf(service, receiver.url);
    const path = `/v1/webhook-endpoints/${endpointId}`;
    const stats = async (window?: string) =>
      (await service.inject('GET', `${path}/stats${window === undefined ? '' : `?window=${window}`}`)).json();
    t.match(await stats(), {
      window: '24h',
      attempts: { examined: 0, isComplete: true, successRate: null, latencyMs: { p50: null, p99: null } },
      backlog: { pending: 0, isExact: true, oldestAgeS: null },
      breaker: { state: 'closed', failures: 0, failingSince: null, openUntil: null },
    });
    for (let told = 0; told < 4; told++) {
      await tell(service, [{}]);
      await deliverAll(t, service);
      clock.advance(1_000);
    }
    const attempts = async (query: string) =>
      (await service.inject('GET', `${path}/attempts${query}`)).json().data as {
        status: number | null;
        outcome: string;
        startedAt: string;
        eventType: string;
      }[];
    const statusesOf = async (query: string) => (await attempts(query)).map(({ status }) => status);
    t.same(await statusesOf(''), [301, 204, 500, 200]);
    t.same(await statusesOf('?outcome=succeeded'), [204, 200]);
    t.same(await statusesOf('?outcome=failed'), [301, 500]);
    t.same(await statusesOf('?status=500'), [500]);
    const [, third] = await attempts('');
    t.match(third, { outcome: 'succeeded', eventType: 'policy.activated' });
    t.same(await statusesOf(`?from=${third?.startedAt}`), [301, 204]);
    t.same(await statusesOf(`?to=${third?.startedAt}`), [500, 200]);
    const page = (await service.inject('GET', `${path}/attempts?limit=3`)).json();
    t.same(await statusesOf(`?limit=3&cursor=${page.nextCursor}`), [200]);

    const now = await stats('1h');
    t.match(now, {
      attempts: { examined: 4, isComplete: true, succeeded: 2, failed: 2, successRate: 0.5 },
      backlog: { pending: 2, isExact: true, oldestAgeS: 3 },
      breaker: { state: 'closed', failures: 1 },
    });
    const { p50, p95, p99 } = now.attempts.latencyMs;
    t.ok(p50 <= p95 && p95 <= p99);
    clock.advance(3_600_000);
    t.match(await stats('1h'), { attempts: { examined: 0 }, backlog: { oldestAgeS: 3_603 } });
    t.match(await stats('7d'), { attempts: { examined: 4 } });
    for (const view of ['stats', 'attempts']) {
      const unknown = await service.inject('GET', `/v1/webhook-endpoints/${service.tenant.id}/${view}`);
      t.match([unknown.statusCode, unknown.json().code], [404, 'webhook_endpoint_not_found']);
    }
  });
});
