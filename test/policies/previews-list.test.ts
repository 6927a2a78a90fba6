// The list of previews: which were asked for, how far they are, and nothing in it that grows with a preview.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { type Desk, done, openDesk, type PreviewPage, refusal, rulesOf } from './desk.js';

const shared = await startService(t);

const idsOf = ({ data }: Pick<PreviewPage, 'data'>) => data.map(({ id }) => id);

async function asked(desk: Desk, ref: string, times = 1): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < times; i++) ids.unshift(done(await desk.ask(ref, 'previews')).json().id);
  return ids;
}

/** All pages, two at a time, with what is asked for `meanwhile` after the first. */
async function leafed(desk: Desk, query: string, meanwhile?: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  let cursor = '';
  do {
    const page = await desk.previews(`${query}&limit=2${cursor}`);
    if (cursor === '') await meanwhile?.();
    seen.push(...idsOf(page));
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  return seen;
}

t.test('each preview is listed once, the newest first, whatever is asked for meanwhile', async (t) => {
  const desk = await openDesk(shared, 'pages');
  const [one, two] = [await desk.draft(), await desk.draft()];
  const older = await asked(desk, two.id, 2);
  const newer = await asked(desk, one.id, 3);
  t.same(await leafed(desk, '', () => asked(desk, one.id)), [...newer, ...older]);
  const { data, nextCursor } = await desk.previews();
  t.equal(data.length, 6);
  t.equal(nextCursor, null);
});

t.test('what is listed of a preview is what it shows, without what may be large', async (t) => {
  const desk = await openDesk(shared, 'light');
  for (const [index, days] of [5, 40, 50].entries()) {
    const placedAt = new Date(shared.clock.now().getTime() - days * 86_400_000).toISOString();
    const customer = { externalIds: [{ namespace: 'crm', id: `c${index}` }] };
    const body = { customer, placedAt, amountMinor: 100, currency: 'EUR' };
    done(await desk.service.inject('POST', '/v1/orders', { body }));
  }
  const { id } = await desk.draft(rulesOf(30, 45));
  const terms = { effectiveFrom: '2026-02-27T00:00:00Z', backfill: true };
  const { moves, movesOmitted, events, sample, ...figures } = await desk.preview(id, terms);
  t.equal(movesOmitted, 0);
  t.match(figures, { customers: 3, straightToChurned: 1, effectiveFrom: '2026-02-27T00:00:00.000Z' });
  for (const large of [moves, events, sample]) t.ok(large.length > 0);
  t.same((await desk.previews()).data, [figures]);
});

t.test('the list is of one policy, by whichever of its names, or of one status, or of both', async (t) => {
  const desk = await openDesk(shared, 'filtered');
  const [draft, other] = [await desk.draft(), await desk.draft(rulesOf(40, 80))];
  const { id: first } = await desk.preview(draft.id);
  const { id: second } = await desk.preview(other.id);
  const [overtaken = ''] = await asked(desk, draft.id);
  done(await desk.ask(other.id, 'activate'));
  await desk.service.services.policies.previewDue(shared.clock.now());
  const [running = ''] = await asked(desk, draft.id);
  t.same(idsOf(await desk.previews(`policyId=${draft.id}`)), [running, overtaken, first]);
  for (const name of [other.id, other.id.toUpperCase(), '2', 'live']) {
    t.same(idsOf(await desk.previews(`policyId=${name}`)), [second], name);
  }
  t.same(idsOf(await desk.previews('status=running')), [running]);
  t.same(idsOf(await desk.previews('status=done')), [second, first]);
  t.same(idsOf(await desk.previews('status=failed')), [overtaken]);
  t.same(idsOf(await desk.previews(`policyId=${draft.id}&status=done`)), [first]);
  t.same(await leafed(desk, `policyId=${draft.id}`), [running, overtaken, first]);
});

t.test('a policy that is not there has no previews, and nor has one that was thrown away', async (t) => {
  const desk = await openDesk(shared, 'nobodys');
  const [draft, kept] = [await desk.draft(), await desk.draft()];
  await asked(desk, draft.id, 3);
  const rest = await asked(desk, kept.id);
  const seen = await leafed(desk, `policyId=${draft.id}`, () => desk.remove(draft.id));
  t.equal(seen.length, 2, 'where it goes meanwhile, the list ends');
  t.same(idsOf(await desk.previews()), rest);
  for (const name of [draft.id, '99']) {
    t.same(await desk.previews(`policyId=${name}`), { data: [], nextCursor: null }, name);
  }
});

t.test('a cursor is good for the filter that it was given for', async (t) => {
  const desk = await openDesk(shared, 'cursors');
  const [one, two] = [await desk.draft(), await desk.draft()];
  await asked(desk, one.id, 2);
  await asked(desk, two.id, 2);
  const query = `policyId=${one.id}&status=running&limit=1`;
  const { nextCursor } = await desk.previews(query);
  t.equal((await desk.previews(`${query}&cursor=${nextCursor}`)).data.length, 1);
  const others = [
    '',
    `policyId=${two.id}&status=running`,
    `policyId=${one.id}`,
    'status=running',
    'status=done',
  ];
  for (const other of others) {
    const path = `/v1/policy-previews?${other}&cursor=${nextCursor}`;
    t.same(refusal(await desk.service.inject('GET', path)), [400, 'invalid_cursor'], other);
  }
  for (const wrong of ['limit=0', 'limit=201', 'status=queued', 'policyId=x', 'policy=live']) {
    const answer = await desk.service.inject('GET', `/v1/policy-previews?${wrong}`);
    t.equal(answer.statusCode, 400, wrong);
  }
});
