// Two who were merged and parted again, beside two who never were: once the jobs have run, nothing that the API says of
// them differs, but for when it was recorded.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { openShop, orderOf, POLICY, type Shop } from '../orders/shop.js';
import { deskOf, done } from '../policies/desk.js';
import { beside } from '../shadows/beside.js';
import { merge, undo } from './twins.js';

const NOW = '2026-03-02T09:00:00.000Z';
const DAY_MS = 86_400_000;
const shared = await startService(t, { now: NOW });
const { run, start, end } = beside(shared);

t.beforeEach(() => shared.clock.set(NOW));

/** Who has the tag is mature, whatever they buy. */
const tagged = { stage: 'mature', when: { type: 'tag', tag: 'new' } };
const POLICIES = {
  live: { ...POLICY, rules: [tagged, ...POLICY.rules] },
  shadow: { ...POLICY, rules: [{ ...tagged, stage: 'declining' }, ...POLICY.rules] },
};

interface Pair {
  shop: Shop;
  ann: string;
  anna: string;
  /** A policy in shadow, and one that was stopped before the merge. */
  shadows: { running: string; stopped: string };
  /** What stands for each id, so that two tenants can be compared. */
  names: Map<string, string>;
}

async function openPair(slug: string): Promise<Pair> {
  const shop = await openShop(shared, slug);
  const { inject } = shop.service;
  const names = new Map<string, string>();
  const say = async (method: 'POST' | 'PATCH' | 'PUT', url: string, body?: object) => {
    shared.clock.advance(1_000);
    return done(await inject(method, url, { body })).json();
  };
  await say('PUT', '/v1/policies/live', { policy: POLICIES.live, effectiveFrom: 'beginning' });
  await shop.service.services.policies.recomputeDue(shared.clock.now());
  const put = async (name: string, body: object) => {
    const { id } = await say('PUT', `/v1/customers/ext:crm:${name}`, body);
    names.set(id, name);
    return id as string;
  };
  const ann = await put('ann', { name: 'Ann', email: 'ann@example.com', tags: ['vip'], owner: 'kim' });
  const anna = await put('anna', {
    ...{ name: 'Anna', email: 'anna@example.com', phone: '+4915112345678', tags: ['new'] },
    attributes: { size: 'M' },
  });
  // Later than the other, and given up: the merge itself says otherwise of them.
  await say('PATCH', `/v1/customers/${ann}`, { tags: ['new', 'vip'], attributes: { size: 'S' } });
  await say('PATCH', `/v1/customers/${ann}`, { tags: ['vip'], attributes: { size: null } });
  await put('cleo', { phone: '+4315112345678' });
  await put('dora', { email: 'ann+dora@example.com' });
  for (const [who, order, day] of [
    ['ann', 'o1', '2026-02-01'],
    ['anna', 'o2', '2025-11-10'],
    ['anna', 'o3', '2026-02-20'],
  ] as const) {
    names.set((await say('POST', '/v1/orders', orderOf(who, order, day))).id, order);
  }
  const shadows = { running: '', stopped: '' };
  const desk = deskOf(shop.service);
  for (const name of ['running', 'stopped'] as const) {
    shadows[name] = (await desk.draft(POLICIES.shadow, name)).id;
    names.set(shadows[name], name);
    done(await desk.ask(shadows[name], 'shadow'));
  }
  await work(shop);
  done(await desk.ask(shadows.stopped, 'unshadow'));
  return { shop, ann, anna, shadows, names };
}

/** All jobs that there are for customers. */
async function work(shop: Shop): Promise<void> {
  const { clock, services } = shop.service;
  clock.advance(120_000);
  await services.transitions.advanceDue(clock.now());
  await run(shop.service);
  while ((await services.duplicates.walkDue(clock.now())).more) {
    // One run after the other.
  }
}

/** When something was recorded, decided or found, and by which version, tells that there was a merge; whose key it was, of the tenant. */
const TELLING = [
  ...['id', 'version', 'updatedAt', 'recordedAt', 'foundAt', 'causeId', 'lifecycleVersion', 'asOf'],
  ...['correctionId', 'startedBy', 'actor'],
];

async function observed({ shop, shadows, names }: Pair): Promise<Record<string, unknown>> {
  const { inject, clock } = shop.service;
  const read = async (url: string) => {
    const { body } = done(await inject('GET', url));
    const named = [...names].reduce((text, [id, name]) => text.replaceAll(id, name), body);
    const plain = (_: string, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).filter(([key]) => !TELLING.includes(key)))
        : value;
    return named
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line, plain));
  };
  const seen: Record<string, unknown> = {};
  for (const ref of ['ext:crm:ann', 'ext:crm:anna']) {
    for (const what of ['', '/transitions', '/explanation'])
      seen[`${ref}${what}`] = await read(`/v1/customers/${ref}${what}`);
    const lines = await read(`/v1/customers/${ref}/export`);
    const kept = ['profile', 'identity', 'datedValue', 'shadowTransition', 'duplicatePair'];
    const held = lines.filter(({ type }) => kept.includes(type)).map((line) => JSON.stringify(line));
    seen[`${ref} held`] = held.toSorted();
  }
  for (const policyId of Object.values(shadows)) {
    for (const name of ['ann', 'anna']) {
      const path = `/v1/customers/ext:crm:${name}/shadow-transitions?policyId=${policyId}`;
      seen[`${names.get(policyId)} ${name}`] = await read(path);
    }
    for (const what of ['shadow-report', 'shadow-disagreements'])
      seen[`${names.get(policyId)} ${what}`] = await read(`/v1/policies/${policyId}/${what}`);
  }
  seen.duplicates = await read('/v1/customers/duplicates');
  const daysAgo = (days: number) => new Date(clock.now().getTime() - days * DAY_MS).toISOString();
  for (const days of [1, 20, 40])
    seen[`${days} days ago`] = await read(`/v1/customers?asOf=${daysAgo(days)}`);
  return seen;
}

t.test('once the jobs have run, nothing that is said of them differs', async (t) => {
  const pairs: Pair[] = [];
  const end = new Date(Date.parse(NOW) + 20 * DAY_MS);
  for (const slug of ['parted', 'never']) {
    shared.clock.set(NOW);
    const pair = await openPair(slug);
    pairs.push(pair);
    const { shop, ann, anna, shadows, names } = pair;
    shared.clock.set(new Date(Date.parse(NOW) + DAY_MS));
    const isMerged = slug === 'parted';
    const { id: mergeId } = isMerged ? done(await merge(shop, ann, anna)).json() : { id: '' };
    await work(shop);
    shared.clock.advance(10 * DAY_MS);
    await work(shop);
    if (isMerged) {
      const { data } = done(await shop.service.inject('GET', '/v1/customers/duplicates')).json();
      t.equal(data.length, 2, 'the host may be whom the guest may be');
      t.same(await shop.path('anna'), await shop.path('ann'));
      done(await undo(shop, ann, mergeId));
      const path = `/v1/policies/${shadows.running}/shadow-report`;
      t.match(done(await shop.service.inject('GET', path)).json(), {
        ...{ customers: 2, progress: { isCurrent: false } },
      });
      const pairs = done(await shop.service.inject('GET', '/v1/customers/duplicates')).json().data;
      t.same(
        pairs.map(({ customers }: { customers: { id: string }[] }) =>
          customers.map(({ id }) => names.get(id)).sort(),
        ),
        [
          ['ann', 'dora'],
          ['anna', 'cleo'],
        ],
        'likely duplicates are told apart at once',
      );
      const ledger = await shop.service.inject(
        'GET',
        `/v1/customers/${ann}/shadow-transitions?policyId=${shadows.running}&superseded=true`,
      );
      t.same(ledger.json().data, [], 'what the shadow made of both is gone with the merge');
    }
    shared.clock.set(end);
    await work(shop);
  }
  const [parted, never] = pairs;
  if (parted === undefined || never === undefined) throw new Error('there are two pairs');
  shared.clock.set(new Date(end.getTime() + DAY_MS));
  const expected = await observed(never);
  const found = await observed(parted);
  for (const [what, seen] of Object.entries(expected)) t.same(found[what], seen, what);
  t.equal(Object.keys(found).length, Object.keys(expected).length);
});

t.test('what somebody says of the host while they are one stays the host’s', async (t) => {
  const { shop, ann, anna } = await openPair('by-hand');
  const { inject } = shop.service;
  shared.clock.advance(DAY_MS);
  const { id: mergeId } = done(await merge(shop, ann, anna)).json();
  shared.clock.advance(1_000);
  done(await inject('PATCH', `/v1/customers/${ann}`, { body: { tags: ['vip'], channel: 'web' } }));
  shared.clock.advance(1_000);
  done(await undo(shop, ann, mergeId));
  const values = async (id: string) => {
    const lines = (await inject('GET', `/v1/customers/${id}/export`)).body.trimEnd().split('\n');
    return lines
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'datedValue')
      .map(({ data }) => `${data.field} ${data.value}`)
      .sort();
  };
  t.same(await values(ann), [
    ...['attributes.size S', 'attributes.size null', 'channel web', 'owner kim'],
    ...['tag:new false', 'tag:new false', 'tag:new true', 'tag:vip true'],
  ]);
  t.same(await values(anna), ['attributes.size M', 'tag:new true']);
  t.match(await shop.profile('ann'), { tags: ['vip'], channel: 'web' });
  t.match(await shop.profile('anna'), { tags: ['new'], channel: null });
});

t.test('a stopped shadow that begins again while they are one knows one, and two after that', async (t) => {
  const { shop, ann, anna, shadows } = await openPair('restarted');
  const { service } = shop;
  const { stopped: policyId } = shadows;
  const seen = async () => {
    const report = done(await service.inject('GET', `/v1/policies/${policyId}/shadow-report`)).json();
    return [report.customers, report.progress.isCurrent];
  };
  t.same(await seen(), [4, false]);
  const { id: mergeId } = done(await merge(shop, ann, anna)).json();
  t.same(await seen(), [4, false], 'it keeps what it has come to');
  shared.clock.advance(1_000);
  await start(service, policyId);
  await run(service);
  t.same(await seen(), [3, true]);
  await end(service, 'stop', policyId);
  shared.clock.advance(1_000);
  done(await undo(shop, ann, mergeId));
  t.same(await seen(), [2, false], 'what it made of both is said of neither');
  await start(service, policyId);
  await run(service);
  t.same(await seen(), [4, true]);
});
