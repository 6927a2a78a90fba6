// The list of walks over all customers: every version's, in pages.

import t from 'tap';
import { startService } from '../helpers/service.js';
import { done, openDesk, refusal, rulesOf } from './desk.js';

const shared = await startService(t);

t.test('each walk is listed once, the newest first, whatever comes into force meanwhile', async (t) => {
  const desk = await openDesk(shared, 'walks');
  const { inject } = desk.service;
  const activate = async (days: number) =>
    done(await inject('PUT', '/v1/policies/live', { body: { policy: rulesOf(days, 300) } }));
  for (let days = 1; days <= 5; days++) await activate(days);
  const versions: number[] = [];
  let cursor = '';
  do {
    const page = done(await inject('GET', `/v1/recomputations?limit=2${cursor}`)).json();
    if (cursor === '') await activate(100);
    t.ok(page.data.length <= 2);
    versions.push(...page.data.map(({ version }: { version: number }) => version));
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  t.same(versions, [6, 5, 4, 3, 2]);
  const { data, nextCursor } = done(await inject('GET', '/v1/recomputations')).json();
  t.same([data.length, data[0].version, nextCursor], [6, 7, null]);
});

t.test('a cursor of another list is refused', async (t) => {
  const desk = await openDesk(shared, 'elsewhere');
  const { id } = await desk.draft();
  for (let i = 0; i < 2; i++) done(await desk.ask(id, 'previews'));
  const { nextCursor } = await desk.previews('limit=1');
  const answer = await desk.service.inject('GET', `/v1/recomputations?cursor=${nextCursor}`);
  t.same(refusal(answer), [400, 'invalid_cursor']);
});
