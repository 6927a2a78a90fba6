// Twin tenants that have the same things and do the same, one by naming a stranger's things, the other by names
// that are nobody's: as long as no answer differs, a stranger's thing is one that does not exist.

import type { Test } from 'tap';
import { startService, type TestService } from '../helpers/service.js';
import { alike } from './alike.js';
import { type Api, apiOf, type Operation, parametersIn } from './operations.js';
import { type Call, namesUsed, recipeOf, urlOf } from './recipes.js';
import { openRows, type Rows } from './rows.js';
import { furnish, type ThingName, type Things, unknownThings } from './things.js';

interface Party {
  service: TestService;
  /** The word that all its names are made of. */
  word: string;
  things: Things;
}

export interface Twins {
  /** Without things of its own. */
  shared: TestService;
  api: Api;
  rows: Rows;
  stranger: Party;
  twin: Party;
  sibling: Party;
}

const NOBODY = 'nowhere';
const nobodys = unknownThings(NOBODY);

export async function openTwins(t: Pick<Test, 'teardown'>): Promise<Twins> {
  const shared = await startService(t);
  const rows = await openRows(t, shared);
  const opening = shared.clock.now();
  const open = async (slug: string, word: string, number: number): Promise<Party> => {
    const service = await shared.forTenant(slug);
    // The same clock for all, so that twins differ in nothing but their ids.
    shared.clock.set(opening);
    // The stranger has more versions of everything that is counted.
    const policies = slug === 'stranger' ? 4 : 2;
    return { service, word, things: await furnish(t, { service, name: word, number, policies }) };
  };
  return {
    ...{ shared, rows, api: apiOf(shared.app) },
    stranger: await open('stranger', 'lisbon', 1),
    twin: await open('twin', 'bergen', 2),
    sibling: await open('sibling', 'torino', 3),
  };
}

/** Each name that the operation takes, alone and all together, in each of the calls that its recipe has. */
export async function assertAlike(t: Test, twins: Twins, operation: Operation): Promise<void> {
  const { rows, stranger, twin, sibling } = twins;
  const recipe = recipeOf(operation);
  const before = await rows.dump(stranger.things.tenantId);
  const names = namesUsed(recipe, twin.things).filter((name) => name !== 'fresh');
  const swaps: ThingName[][] = [...names.map((name) => [name]), names];
  let asked = 0;
  for (const swap of swaps.filter(({ length }) => length > 0)) {
    for (const place of recipe(twin.things).keys()) {
      const fresh = `fresh-${operation.id.toLowerCase()}-${asked++}`;
      const own = recipe({ ...twin.things, fresh })[place];
      const call = recipe(swapped({ ...twin.things, fresh }, stranger.things, swap))[place];
      const control = recipe(swapped({ ...sibling.things, fresh }, nobodys, swap))[place];
      if (call === undefined || control === undefined || JSON.stringify(call) === JSON.stringify(own))
        continue;
      const answer = await ask(twin, operation, call);
      const expected = await ask(sibling, operation, control);
      t.same(
        alike(answer, [said(stranger), said(twin)]),
        alike(expected, [[NOBODY, nobodys], said(sibling)]),
        `${swap.join()} ${urlOf(operation, call)}`,
      );
    }
  }
  t.same(await rows.dump(stranger.things.tenantId), before, 'and the stranger has what they had');
}

/** Of what can be listed there is something to see, and nothing of the stranger's, from wherever it is read. */
export async function assertNothingListed(t: Test, twins: Twins, operation: Operation): Promise<void> {
  const { stranger, twin } = twins;
  const cursor = parametersIn(operation, 'query').find(
    ({ name }) => name === 'cursor' || name === 'after',
  )?.name;
  const [own] = recipeOf(operation)(twin.things);
  const answer = await ask(twin, operation, own);
  t.equal(answer.statusCode, 200, `${operation.id} ${answer.body.slice(0, 200)}`);
  assertNothingOf(t, stranger, answer.body, operation.id);
  if (cursor === undefined) return;
  t.not(answer.json().data.length, 0, `${operation.id} has something to show`);
  const [call] = recipeOf(operation)(stranger.things);
  const page = await ask(stranger, operation, { ...call, query: { limit: '1' } });
  const place = page.json().nextCursor;
  t.type(place, 'string', `${operation.id} has a second page`);
  const onwards = await ask(twin, operation, { ...own, query: { [cursor]: place } });
  assertNothingOf(t, stranger, onwards.body, `${operation.id} from there`);
}

function said({ word, things }: Party): readonly [string, Things] {
  return [word, things];
}

function ask({ service }: Party, operation: Operation, call: Call) {
  return service.inject(operation.method, urlOf(operation, call), { body: call.body });
}

function swapped(own: Things, others: Things, names: readonly ThingName[]): Things {
  return { ...own, ...Object.fromEntries(names.map((name) => [name, others[name]])) };
}

function assertNothingOf(t: Test, { word, things }: Party, text: string, what: string): void {
  const { policyVersion: _, ...telling } = things;
  const shown = [...Object.values(telling), word].filter((value) => text.includes(value));
  t.same(shown, [], `${what} shows nothing of theirs`);
}
