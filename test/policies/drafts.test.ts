// Drafts: they are made from rules or a template, edited by who has seen them as they are, and decide nothing.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { done, openDesk, refusal, rulesOf } from './desk.js';

const shared = await startService(t);

t.test('a draft has its rules, its maker and its time, and no version', async (t) => {
  const desk = await openDesk(shared, 'made');
  const draft = await desk.draft(rulesOf(30, 60), 'Stricter');
  t.match(draft, { name: 'Stricter', status: 'draft', version: null, revision: 1, activatedBy: null });
  t.same(draft.policy, rulesOf(30, 60));
  t.equal(draft.statusChanges.length, 1);
  t.match(draft.statusChanges[0], { status: 'draft', at: '2026-03-02T09:00:00.000Z', by: /^api_key:/ });
  t.same(await desk.get(draft.id), draft);
  t.same(await desk.get(draft.id.toUpperCase()), draft, 'whichever way its id is written');
});

t.test('drafts change nothing of what is in force', async (t) => {
  const desk = await openDesk(shared, 'nothing');
  const live = (await desk.service.inject('GET', '/v1/policies/live')).json();
  await desk.draft();
  t.same((await desk.service.inject('GET', '/v1/policies/live')).json(), live);
  await desk.service.inject('PUT', '/v1/customers/ext:crm:ann', { body: {} });
  const customer = await desk.service.inject('GET', '/v1/customers/ext:crm:ann/transitions');
  t.equal(customer.json().data[0].policyVersion, 1);
  t.match(await desk.get(1), { id: live.id, status: 'active' });
});

t.test('a template is adopted by a draft of it', async (t) => {
  const desk = await openDesk(shared, 'adopted');
  const { inject } = desk.service;
  const templates = done(await inject('GET', '/v1/lifecycle-templates')).json();
  t.equal(templates.nextCursor, null);
  for (const template of templates.data) {
    t.same(done(await inject('GET', `/v1/lifecycle-templates/${template.key}`)).json(), template);
    for (const { labels } of template.lifecycle.stages) t.ok(labels.en.length > 0 && labels.zh.length > 0);
    const body = { fromTemplate: template.key, name: template.key };
    const draft = done(await inject('POST', '/v1/policies', { body })).json();
    t.same(draft.policy, template.policy, template.key);
    t.same(done(await desk.ask(draft.id, 'validate')).json().faults, [], `${template.key} is sound`);
  }
  t.equal((await inject('GET', '/v1/lifecycle-templates/unknown')).statusCode, 400);
});

t.test('a draft begins with rules or with a template, and not with both or neither', async (t) => {
  const { service } = await openDesk(shared, 'either');
  const bodies = [
    [{}, '/policy'],
    [{ name: 'x' }, '/policy'],
    [{ policy: rulesOf(1, 2), fromTemplate: 'ecommerce' }, '/fromTemplate'],
    [{ fromTemplate: 'unknown' }, '/fromTemplate'],
  ] as const;
  for (const [body, pointer] of bodies) {
    const answer = await service.inject('POST', '/v1/policies', { body });
    t.equal(answer.statusCode, 400);
    t.equal(answer.json().errors[0].pointer, pointer);
  }
  t.same(await service.inject('GET', '/v1/policies?status=draft').then((r) => r.json().data), []);
});

t.test('a patch merges, replaces lists, and counts a revision only where it changes something', async (t) => {
  const desk = await openDesk(shared, 'patched');
  const { id } = await desk.draft(rulesOf(30, 60), 'First');
  const rules = rulesOf(10, 20).rules.slice(0, 2);
  const once = done(await desk.patch(id, { policy: { timeZone: 'Asia/Shanghai', rules } })).json();
  t.same(once.policy, { ...rulesOf(30, 60), timeZone: 'Asia/Shanghai', rules });
  t.match(once, { name: 'First', revision: 2 });
  t.equal(done(await desk.patch(id, { name: 'First', policy: { rules } })).json().revision, 2);
  t.equal(done(await desk.patch(id, {})).json().revision, 2);
  t.match(done(await desk.patch(id, { name: null })).json(), { name: null, revision: 3 });
});

t.test('the copy of a lifecycle is edited, stages, graph, labels and carry-over', async (t) => {
  const desk = await openDesk(shared, 'copied');
  const { lifecycle } = done(await desk.service.inject('GET', '/v1/lifecycle-templates/ecommerce')).json();
  lifecycle.stages[1].labels = { en: 'Newcomer', zh: '新人' };
  lifecycle.moves[0].to = ['new', 'churned'];
  const { id } = await desk.draft();
  const carryOver = { lead: 'prospect', fan: 'mature' };
  const edited = done(await desk.patch(id, { policy: { lifecycle, carryOver } })).json();
  t.same(edited.policy, { ...rulesOf(30, 60), lifecycle, carryOver });
  const fewer = done(await desk.patch(id, { policy: { carryOver: { lead: null } } })).json();
  t.same(fewer.policy.carryOver, { fan: 'mature' });
  const plain = done(await desk.patch(id, { policy: { lifecycle: null, carryOver: null } })).json();
  t.same(plain.policy, rulesOf(30, 60));
});

t.test('a patch that is no patch of a policy is refused, and changes nothing', async (t) => {
  const desk = await openDesk(shared, 'unpatched');
  const draft = await desk.draft();
  const bodies = [
    [{ policy: { rules: null } }, '/policy/rules'],
    [{ policy: { rules: [] } }, '/policy/rules'],
    [{ policy: { unknown: 1 } }, '/policy/unknown'],
    [{ policy: null }, '/policy'],
    [{ status: 'active' }, '/status'],
    [{ version: 3 }, '/version'],
  ] as const;
  for (const [body, pointer] of bodies) {
    const answer = await desk.patch(draft.id, body);
    t.equal(answer.statusCode, 400, JSON.stringify(body));
    t.equal(answer.json().errors[0].pointer, pointer);
  }
  t.same(await desk.get(draft.id), draft);
});

t.test('who edits or throws away what somebody else has changed meanwhile is told so', async (t) => {
  const desk = await openDesk(shared, 'matched');
  const { id } = await desk.draft();
  const first = { 'if-match': '"1"' };
  const [one, other] = await Promise.all([
    desk.patch(id, { name: 'one' }, first),
    desk.patch(id, { name: 'other' }, first),
  ]);
  t.same([one.statusCode, other.statusCode].sort(), [200, 412], 'one of two at once');
  t.same(refusal(await desk.remove(id, first)), [412, 'version_mismatch']);
  for (const step of ['shadow', 'retire', 'activate']) {
    t.same(refusal(await desk.ask(id, step, undefined, first)), [412, 'version_mismatch'], step);
  }
  t.equal((await desk.get(id)).revision, 2);
  const tag = (await desk.service.inject('GET', `/v1/policies/${id}`)).headers.etag;
  t.equal(tag, '"2"');
  const known = await desk.service.inject('GET', `/v1/policies/${id}`, {
    headers: { 'if-none-match': '"2"' },
  });
  t.equal(known.statusCode, 304);
  t.equal((await desk.remove(id, { 'if-match': '"2"' })).statusCode, 204);
  t.same(refusal(await desk.service.inject('GET', `/v1/policies/${id}`)), [404, 'policy_not_found']);
});

t.test('drafts are listed by status, newest first, and page by page', async (t) => {
  const desk = await openDesk(shared, 'listed');
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    desk.service.clock.advance(1_000);
    ids.unshift((await desk.draft(rulesOf(30 + i, 90))).id);
  }
  const { inject } = desk.service;
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = done(await inject('GET', `/v1/policies?status=draft&limit=2${cursor}`)).json();
    seen.push(...page.data.map(({ id }: { id: string }) => id));
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  t.same(seen, ids);
  t.same(
    (await desk.list('status=active')).map(({ version }) => version),
    [1],
  );
  t.equal((await desk.list()).length, 6);
  t.same(await desk.list('status=shadow'), []);
  t.equal((await inject('GET', '/v1/policies?status=unknown')).statusCode, 400);
});

t.test('a reference that names nothing is a 404, and one that can name nothing a 400', async (t) => {
  const { service } = await openDesk(shared, 'unnamed');
  const { draft } = await openDesk(shared, 'neighbour');
  const theirs = (await draft()).id;
  for (const ref of ['9999', '4294967295', '00000000-0000-7000-8000-000000000000', theirs]) {
    const answer = await service.inject('GET', `/v1/policies/${ref}`);
    t.same(refusal(answer), [404, 'policy_not_found'], ref);
  }
  for (const ref of ['0', '-1', '01', 'newest', '1.5', 'LIVE', '99999999999']) {
    t.equal((await service.inject('GET', `/v1/policies/${ref}`)).statusCode, 400, ref);
  }
});

t.test('a tenant has a bounded number of drafts', async (t) => {
  const desk = await openDesk(shared, 'bounded');
  for (let i = 0; i < 200; i++) await desk.draft();
  const body = { policy: rulesOf(1, 2) };
  const answer = await desk.service.inject('POST', '/v1/policies', { body });
  t.same(refusal(answer), [409, 'too_many_policy_drafts']);
  const [newest] = await desk.list('status=draft&limit=1');
  done(await desk.remove(newest?.id ?? ''));
  done(await desk.service.inject('POST', '/v1/policies', { body }));
});

t.test('a draft that is asked for twice by one key is made once', async (t) => {
  const { service } = await openDesk(shared, 'twice');
  const asked = { body: { policy: rulesOf(1, 2) }, headers: { 'idempotency-key': 'k' } };
  const first = done(await service.inject('POST', '/v1/policies', asked)).json();
  t.same(done(await service.inject('POST', '/v1/policies', asked)).json(), first);
  const listed = (await service.inject('GET', '/v1/policies?status=draft')).json().data;
  t.equal(listed.length, 1);
});
