// The life of a policy: every step that there is, every step that there is not, and who took it when.

import t from 'tap';
import type { Context } from '../../src/context.js';
import { createMeasuring } from '../../src/models/measure.js';
import { createCalibrations } from '../../src/policies/calibrate.js';
import { createPoliciesService, parsePolicyRef } from '../../src/policies/service.js';
import { startService } from '../helpers/service.js';
import { type Desk, done, openDesk, refusal, rulesOf } from './desk.js';

const shared = await startService(t);

/** How a policy comes to each status. */
const WAYS: Record<string, (desk: Desk, id: string) => Promise<unknown>> = {
  draft: async () => undefined,
  shadow: async (desk, id) => done(await desk.ask(id, 'shadow')),
  active: async (desk, id) => done(await desk.ask(id, 'activate')),
  retired: async (desk, id) => done(await desk.ask(id, 'retire')),
};

const STEPS: Record<string, { to: string; from: string[] }> = {
  shadow: { to: 'shadow', from: ['draft'] },
  unshadow: { to: 'draft', from: ['shadow'] },
  activate: { to: 'active', from: ['draft', 'shadow'] },
  retire: { to: 'retired', from: ['draft', 'shadow'] },
};

for (const [status, come] of Object.entries(WAYS)) {
  t.test(`what a policy that is ${status} can become, and what it cannot`, async (t) => {
    const desk = await openDesk(shared, `from-${status}`);
    for (const [step, { to, from }] of Object.entries(STEPS)) {
      const { id } = await desk.draft(rulesOf(20 + step.length, 60));
      await come(desk, id);
      const before = await desk.get(id);
      const answer = await desk.ask(id, step);
      if (from.includes(status)) {
        t.equal(answer.statusCode, 200, step);
        t.match(answer.json(), { id, status: to, revision: before.revision + 1 });
        t.same(answer.json().statusChanges.slice(0, -1), before.statusChanges);
        t.match(answer.json().statusChanges.at(-1), { status: to, by: /^api_key:/ });
        if (step === 'shadow') done(await desk.ask(id, 'retire'));
      } else if (to === status) {
        t.equal(answer.statusCode, 200, step);
        t.same(await desk.get(id), before, 'it is so already');
      } else {
        t.same(refusal(answer), [409, 'policy_step_not_permitted'], step);
        t.equal(answer.json().status, 409);
        t.same(await desk.get(id), before, 'and it is as it was');
      }
      if (status === 'shadow' && step !== 'retire') await desk.ask(id, 'retire');
    }
    const { id } = await desk.draft();
    await come(desk, id);
    if (status === 'draft') return;
    for (const answer of [await desk.patch(id, { name: 'x' }), await desk.remove(id)]) {
      t.same(refusal(answer), [409, 'policy_not_draft']);
    }
  });
}

t.test('a draft that is activated is the next version, and the one before it is retired', async (t) => {
  const desk = await openDesk(shared, 'activated');
  const { id } = await desk.draft(rulesOf(30, 60), 'Stricter');
  const answer = done(await desk.ask(id, 'activate', { effectiveFrom: 'beginning', backfill: true })).json();
  t.match(answer, {
    id,
    name: 'Stricter',
    status: 'active',
    version: 2,
    effectiveFrom: null,
    backfill: true,
  });
  t.match(answer.activatedBy, /^api_key:/);
  const former = await desk.get(1);
  t.equal(former.status, 'retired');
  t.same(
    former.statusChanges.map(({ status }) => status),
    ['active', 'retired'],
  );
  t.same(await desk.get(2), answer);
  t.match((await desk.service.inject('GET', '/v1/policies/live')).json(), {
    id,
    version: 2,
    name: 'Stricter',
  });
  const [walk] = (await desk.service.inject('GET', '/v1/recomputations')).json().data;
  t.match(walk, { cause: 'policy', version: 2, backfill: true });
  t.same((await desk.list('status=active')).length, 1);
});

t.test('a policy that is put into force without a draft has a life as well', async (t) => {
  const desk = await openDesk(shared, 'put');
  const { inject } = desk.service;
  const put = (days: number) => inject('PUT', '/v1/policies/live', { body: { policy: rulesOf(days, 90) } });
  const second = done(await put(40)).json();
  const third = done(await put(50)).json();
  t.same([second.version, third.version], [2, 3]);
  t.match(await desk.get(second.id), { status: 'retired', version: 2 });
  t.match(await desk.get(third.id), { status: 'active', statusChanges: [{ status: 'active' }] });
  t.same(
    (await desk.list()).map(({ version, status }) => `${version} ${status}`),
    ['3 active', '2 retired', '1 retired'],
  );
  const stale = await inject('PUT', '/v1/policies/live', {
    body: { policy: rulesOf(60, 90) },
    headers: { 'if-match': '"2"' },
  });
  t.same(refusal(stale), [412, 'version_mismatch']);
});

t.test('of drafts that are activated at once each gets a version of its own', async (t) => {
  const desk = await openDesk(shared, 'at-once');
  const drafts = [];
  for (let i = 0; i < 4; i++) drafts.push(await desk.draft(rulesOf(20 + i, 90)));
  const answers = await Promise.all(drafts.map(({ id }) => desk.ask(id, 'activate')));
  t.same(
    answers.map((answer) => answer.statusCode),
    [200, 200, 200, 200],
  );
  t.same(answers.map((answer) => answer.json().version).sort(), [2, 3, 4, 5]);
  t.equal((await desk.list('status=active')).length, 1);
  const one = await desk.draft(rulesOf(70, 90));
  const twice = await Promise.all([desk.ask(one.id, 'activate'), desk.ask(one.id, 'activate')]);
  t.same(
    twice.map((answer) => answer.json().version),
    [6, 6],
    'and one draft is activated once',
  );
  const another = await desk.ask(one.id, 'activate', { effectiveFrom: 'beginning' });
  t.same(refusal(another), [409, 'policy_step_not_permitted'], 'with one date');
});

t.test('a policy with faults can be drafted, and comes neither into force nor into shadow', async (t) => {
  const desk = await openDesk(shared, 'unsound');
  const policy = rulesOf(60, 30);
  const { id } = await desk.draft(policy);
  for (const step of ['activate', 'shadow', 'previews']) {
    const answer = await desk.ask(id, step);
    t.same(refusal(answer), [409, 'policy_not_sound'], step);
    t.equal(answer.json().errors[0].pointer, '/policy/rules/1/when');
  }
  const put = await desk.service.inject('PUT', '/v1/policies/live', { body: { policy } });
  t.same(refusal(put), [400, 'invalid_policy']);
  t.match(await desk.get(id), { status: 'draft', revision: 1 });
  t.equal((await desk.get('live')).version, 1);
});

t.test('nothing takes effect in the future', async (t) => {
  const desk = await openDesk(shared, 'future');
  const { id } = await desk.draft();
  for (const step of ['activate', 'previews']) {
    const answer = await desk.ask(id, step, { effectiveFrom: '2026-03-02T09:00:01Z' });
    t.same(refusal(answer), [400, 'invalid_policy'], step);
    t.equal(answer.json().errors[0].pointer, '/effectiveFrom');
  }
});

t.test('at most three policies of a tenant are in shadow', async (t) => {
  const desk = await openDesk(shared, 'shadows');
  const drafts = [];
  for (let i = 0; i < 5; i++) drafts.push(await desk.draft(rulesOf(20 + i, 90)));
  const answers = await Promise.all(drafts.map(({ id }) => desk.ask(id, 'shadow')));
  t.same(answers.map((answer) => answer.statusCode).sort(), [200, 200, 200, 409, 409]);
  const refused = answers.find((answer) => answer.statusCode === 409);
  t.equal(refused?.json().code, 'too_many_shadow_policies');
  const [one] = await desk.list('status=shadow');
  done(await desk.ask(one?.id ?? '', 'unshadow'));
  const [draft] = await desk.list('status=draft');
  t.equal((await desk.ask(draft?.id ?? '', 'shadow')).statusCode, 200);
});

t.test('shadow ledgers are told when to begin and when to end', async (t) => {
  const desk = await openDesk(shared, 'ledgers');
  const { services, database, clock } = desk.service;
  const told: unknown[] = [];
  const measuring = createMeasuring({ database, offload: services.offload });
  const policies = createPoliciesService({
    ...{ database, outbox: services.outbox, transitions: services.transitions, clock: clock.now },
    calibrations: createCalibrations({
      ...{ database, measuring, clock: clock.now },
      onVersion: async () => undefined,
    }),
    shadows: {
      start: async (_tx, _context, { policyId, since }) => void told.push(['start', policyId, since]),
      stop: async (_tx, _context, policyId) => void told.push(['stop', policyId]),
      remove: async (_tx, _context, policyId) => void told.push(['remove', policyId]),
    },
  });
  const context: Context = desk.service.context();
  const target = (id: string) => ({ ref: parsePolicyRef(id), expected: undefined });
  const [a, b, c] = [await desk.draft(), await desk.draft(), await desk.draft()];
  for (const { id } of [a, b, c]) await policies.shadow(context, target(id));
  await policies.unshadow(context, target(a.id));
  await policies.retire(context, target(b.id));
  await policies.activateDraft(context, { ...target(c.id), effectiveFrom: context.now, backfill: false });
  await policies.remove(context, target(a.id));
  t.same(told, [
    ...[a, b, c].map(({ id }) => ['start', id, context.now]),
    ...[a, b, c].map(({ id }) => ['stop', id]),
    ['remove', a.id],
  ]);
});

t.test('the changes that are kept are bounded', async (t) => {
  const desk = await openDesk(shared, 'changes');
  const { id } = await desk.draft();
  for (let i = 0; i < 55; i++) {
    done(await desk.ask(id, 'shadow'));
    done(await desk.ask(id, 'unshadow'));
  }
  const { statusChanges, revision } = await desk.get(id);
  t.equal(statusChanges.length, 100);
  t.equal(revision, 111);
});

t.test('other modules find a policy by its id, its version or as the live one', async (t) => {
  const desk = await openDesk(shared, 'resolved');
  const { services, database, tenant } = desk.service;
  const draft = await desk.draft();
  const resolve = (ref: string) =>
    database.read(tenant.id, (executor) =>
      services.policies.resolve(executor, tenant.id, parsePolicyRef(ref)),
    );
  t.equal((await resolve(draft.id)).id, draft.id);
  t.equal((await resolve('1')).version, 1);
  t.equal((await resolve('live')).version, 1);
  await t.rejects(resolve('2'), { code: 'policy_not_found' });
});
