// Nobody sees or changes another tenant's things by any route: generated from the OpenAPI document, so that
// a new route is tested by being there, and fails while it has no recipe (test/routes/recipes.ts).

import t from 'tap';
import { SCOPES } from '../src/context.js';
import { ADMIN_KEY } from './helpers/service.js';
import { predictEverybody } from './routes/predicted.js';
import { RECIPES, recipeOf, urlOf } from './routes/recipes.js';
import { referencesOf, valuesAt } from './routes/references.js';
import { furnish, unknownThings } from './routes/things.js';
import { assertAlike, assertNothingListed, openTwins } from './routes/twins.js';

const twins = await openTwins(t);
const { shared, api, rows, stranger } = twins;
const theirs = stranger.things;
await predictEverybody(rows);

t.test('every operation has a recipe, and every recipe an operation', async (t) => {
  t.same(Object.keys(RECIPES).sort(), api.operations.map(({ id }) => id).sort());
});

t.test('a recipe fills every place where its operation takes the name of something', async (t) => {
  const marked = unknownThings('marked');
  const marks = Object.values(marked);
  for (const operation of api.operations) {
    const calls = recipeOf(operation)(marked);
    for (const place of referencesOf(api, operation)) {
      const values = calls.flatMap((call) => valuesAt(call, place));
      const isNamed = values.some((value) => {
        const text = JSON.stringify(value);
        return text.includes('marked') || marks.some((mark) => text.includes(mark));
      });
      t.ok(isNamed, `${operation.id} ${place.join('/')}`);
    }
  }
});

t.test('a furnished tenant has rows in every table', async (t) => {
  for (const [table, sum] of await rows.dump(theirs.tenantId)) {
    // An endpoint has a row of health only while it has failed: whether one is left is chance.
    if (table !== 'webhook_endpoint_health') t.notMatch(sum, /^0 rows/, table);
  }
});

t.test('no list shows what is a stranger’s, nor does any from a stranger’s cursor', async (t) => {
  const reading = api.operations.filter(({ method, scope }) => method === 'GET' && scope !== 'admin');
  for (const operation of reading) await assertNothingListed(t, twins, operation);
});

for (const operation of api.operations) {
  t.test(`${operation.id}: a stranger's things are as ones that do not exist`, (t) =>
    assertAlike(t, twins, operation),
  );
}

t.test('without a credential every route is a 401, whatever else is wrong', async (t) => {
  for (const operation of api.operations.filter(({ scope }) => scope !== 'public')) {
    const [call] = recipeOf(operation)(theirs);
    for (const key of [null, 'pk_0000000000000000000000000000000000000000000', 'x']) {
      for (const body of [call.body, operation.body === null ? undefined : '{']) {
        const answer = await shared.inject(operation.method, urlOf(operation, call), { key, body });
        t.equal(answer.statusCode, 401, `${operation.id} with ${key ?? 'nothing'}`);
        t.match(answer.headers['www-authenticate'], /^Bearer/);
        t.equal(answer.json().code, 'unauthenticated');
      }
    }
    if (operation.method !== 'GET') continue;
    const head = await shared.inject('HEAD', urlOf(operation, call), { key: null });
    t.equal(head.statusCode, 401, `HEAD of ${operation.id}`);
  }
});

t.test('each route takes its own scope and no other', async (t) => {
  const service = await shared.forTenant('scopes');
  const make = async (scopes: readonly string[]): Promise<string> => {
    const made = await service.inject('POST', '/v1/api-keys', { body: { name: 'k', scopes } });
    return made.json().secret;
  };
  for (const operation of api.operations.filter(({ scope }) => scope !== 'public')) {
    const [call] = recipeOf(operation)(theirs);
    const others = operation.scope === 'admin' ? SCOPES : SCOPES.filter((scope) => scope !== operation.scope);
    const key = await make(others);
    const refused = await shared.inject(operation.method, urlOf(operation, call), { key, body: call.body });
    t.equal(refused.statusCode, 403, `${operation.id} with every other scope`);
    t.match(refused.json(), { code: 'insufficient_scope', requiredScope: operation.scope });
    const only = operation.scope === 'admin' ? ADMIN_KEY : await make([operation.scope]);
    const admitted = await shared.inject(operation.method, urlOf(operation, call), {
      key: only,
      body: call.body,
    });
    const isRefused = admitted.statusCode === 401 || admitted.body.includes('insufficient_scope');
    t.notOk(isRefused, `${operation.id} with its scope alone: ${admitted.statusCode}`);
    if (operation.scope === 'admin') continue;
    const admin = await shared.inject(operation.method, urlOf(operation, call), {
      key: ADMIN_KEY,
      body: call.body,
    });
    t.equal(admin.statusCode, 403, `${operation.id} with the administrator’s key`);
    t.equal(admin.json().code, 'tenant_required');
  }
});

t.test('what the checks above look at does change when its owner changes it', async (t) => {
  const before = await rows.dump(theirs.tenantId);
  const changed = await stranger.service.inject('PATCH', `/v1/customers/${theirs.customerId}`, {
    body: { name: 'Changed' },
  });
  t.equal(changed.statusCode, 200);
  const after = await rows.dump(theirs.tenantId);
  t.not(after.get('customers'), before.get('customers'));
  t.not(after.get('events'), before.get('events'));
  t.equal(after.get('orders'), before.get('orders'));
});

t.test('every recipe succeeds where the things are one’s own', async (t) => {
  const service = await shared.forTenant('owner');
  const things = await furnish(t, { service, name: 'helsinki', number: 4, policies: 2 });
  // What takes things away comes last.
  const inOrder = api.operations.toSorted(
    (a, b) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
  );
  for (const [index, operation] of inOrder.entries()) {
    const [call] = recipeOf(operation)({ ...things, fresh: `helsinki-fresh-${index}` });
    const key = operation.scope === 'admin' ? ADMIN_KEY : service.key;
    const answer = await service.inject(operation.method, urlOf(operation, call), { key, body: call.body });
    t.ok(answer.statusCode < 300, `${operation.id} ${answer.statusCode} ${answer.body.slice(0, 200)}`);
  }
});
