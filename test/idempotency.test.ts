// A POST with an Idempotency-Key is done once, however often it is sent: for every POST of the OpenAPI
// document, so that a new one is tested by being there.

import t from 'tap';
import { ADMIN_KEY, startService } from './helpers/service.js';
import { type Api, apiOf, type JsonSchema, type Operation } from './routes/operations.js';
import { type Call, recipeOf, urlOf } from './routes/recipes.js';
import { openRows } from './routes/rows.js';
import { furnish } from './routes/things.js';

const SECRET = /\b(?:pk_[0-9A-Za-z]{43}|whsec_[A-Za-z0-9+/=]{32,88})/g;
const AT_ONCE = 5;

const shared = await startService(t);
const rows = await openRows(t, shared);
const api = apiOf(shared.app);
const posts = api.operations.filter(({ method }) => method === 'POST');
const things = await furnish(t, { service: shared, name: 'lisbon', number: 1, policies: 2 });

let made = 0;
const callOf = (operation: Operation): Call => {
  const [call] = recipeOf(operation)({ ...things, fresh: `lisbon-fresh-${made++}` });
  return call;
};
const keyFor = (operation: Operation) => (operation.scope === 'admin' ? ADMIN_KEY : shared.key);

function send(operation: Operation, call: Call, key: string, credential = keyFor(operation)) {
  const headers = { 'idempotency-key': key };
  return shared.inject('POST', urlOf(operation, call), { body: call.body, key: credential, headers });
}

async function stored(key: string): Promise<Buffer[]> {
  const found = await rows.query<{ body: Buffer }>('SELECT body FROM idempotency_keys WHERE key = $1', [key]);
  return found.map(({ body }) => body);
}

for (const operation of posts) {
  t.test(`${operation.id}: a repeat is answered the same and does nothing`, async (t) => {
    const call = callOf(operation);
    const key = `repeat-${operation.id}`;
    const first = await send(operation, call, key);
    t.ok(first.statusCode < 300, `${first.statusCode} ${first.body}`);
    t.notHas(first.headers, { 'idempotency-replayed': 'true' });
    const [counts, sums] = [await rows.counts(), await rows.dump(shared.tenant.id)];
    // A repeat is the same request at another time.
    shared.clock.advance(60_000);
    const again = await send(operation, call, key);
    t.equal(again.statusCode, first.statusCode);
    t.equal(again.body, first.body);
    t.equal(again.headers['idempotency-replayed'], 'true');
    t.match(again.headers['content-type'], 'application/json');
    t.same(await rows.counts(), counts, 'no table has more rows');
    t.same(await rows.dump(shared.tenant.id), sums, 'and none has other ones');
  });

  t.test(`${operation.id}: a key stands for one request only`, async (t) => {
    const key = `reused-${operation.id}`;
    t.ok((await send(operation, callOf(operation), key)).statusCode < 300);
    const counts = await rows.counts();
    const another = posts[(posts.indexOf(operation) + 1) % posts.length] as Operation;
    const others: [string, Operation][] = [['another address', another]];
    if (operation.body !== null) others.push(['another body', operation]);
    for (const [what, other] of others.filter(([, { scope }]) => scope === operation.scope)) {
      const refused = await send(other, callOf(other), key);
      t.equal(refused.statusCode, 422, what);
      t.equal(refused.json().code, 'idempotency_key_reused', what);
    }
    t.same(await rows.counts(), counts, 'nothing was done');
  });

  t.test(`${operation.id}: of those that come at once, one does the work`, async (t) => {
    const call = callOf(operation);
    const key = `at-once-${operation.id}`;
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => send(operation, call, key)));
    const done = answers.filter(({ statusCode }) => statusCode < 300);
    const firsts = done.filter(({ headers }) => headers['idempotency-replayed'] === undefined);
    t.equal(firsts.length, 1, 'one has done it');
    t.equal(new Set(done.map(({ body }) => body)).size, 1, 'and the others say the same');
    for (const answer of answers.filter(({ statusCode }) => statusCode >= 300)) {
      t.equal(answer.statusCode, 409);
      t.equal(answer.json().code, 'idempotency_key_in_flight');
      t.match(answer.headers['retry-after'], /^\d+$/);
    }
    const later = await send(operation, call, key);
    t.equal(later.body, firsts[0]?.body, 'who comes later is told the same');
    t.equal((await stored(key)).length, 1);
  });

  t.test(`${operation.id}: a secret in the answer is kept in a form that shows it to nobody`, async (t) => {
    const key = `secret-${operation.id}`;
    const answer = await send(operation, callOf(operation), key);
    const [kept = Buffer.alloc(0)] = await stored(key);
    const secrets = answer.body.match(SECRET) ?? [];
    t.equal(secrets.length > 0, showsSecret(operation), 'the document says whether there is one');
    if (secrets.length === 0)
      t.same(JSON.parse(kept.toString()), answer.json(), 'without one it is kept as it is');
    for (const secret of secrets) t.notOk(kept.includes(secret), 'it cannot be read in the table');
  });

  t.test(`${operation.id}: a key that cannot be one is refused before anything is done`, async (t) => {
    const counts = await rows.counts();
    for (const key of ['', 'two words', 'k'.repeat(256), 'schlüssel']) {
      const refused = await send(operation, callOf(operation), key);
      t.equal(refused.statusCode, 400, `'${key.slice(0, 20)}' ${refused.body}`);
      t.match(refused.json(), { errors: [{ pointer: '/header/idempotency-key' }] });
    }
    t.same(await rows.counts(), counts);
  });
}

t.test('a request that was refused leaves its key free', async (t) => {
  const [record] = posts.filter(({ id }) => id === 'recordOrder') as [Operation];
  const { body } = callOf(record) as { body: object };
  const refused = await send(record, { body: { ...body, customer: 'ext:crm:nobody' } }, 'free');
  t.equal(refused.statusCode, 404);
  t.same(await stored('free'), []);
  t.equal((await send(record, { body }, 'free')).statusCode, 201);
});

t.test('each tenant has keys of its own', async (t) => {
  const [create] = posts.filter(({ id }) => id === 'createCustomer') as [Operation];
  const other = await shared.forTenant('other');
  const call = callOf(create);
  const mine = await send(create, call, 'ours');
  const theirs = await send(create, call, 'ours', other.key);
  t.equal(theirs.statusCode, 201);
  t.equal(theirs.headers['idempotency-replayed'], undefined);
  t.not(theirs.json().id, mine.json().id);
});

t.test('a secret is shown again only to the credential that it was shown to', async (t) => {
  const scopes = ['api_keys:write', 'webhooks:write', 'orders:read'];
  const colleague = (
    await shared.inject('POST', '/v1/api-keys', { body: { name: 'colleague', scopes } })
  ).json().secret;
  for (const operation of posts.filter((post) => showsSecret(post) && post.scope !== 'admin')) {
    const call = callOf(operation);
    const first = await send(operation, call, `shown-${operation.id}`);
    const answer = await send(operation, call, `shown-${operation.id}`, colleague);
    t.ok(
      answer.statusCode >= 400 && answer.statusCode < 500,
      `${operation.id}: ${answer.statusCode} ${answer.body}`,
    );
    for (const secret of first.body.match(SECRET) ?? []) t.notOk(answer.body.includes(secret));
    const again = await send(operation, call, `shown-${operation.id}`);
    t.equal(again.body, first.body, 'who has made it still sees it');
  }
});

function showsSecret({ responses }: Operation): boolean {
  return [...responses].some(([status, documented]) => {
    return status < 300 && documented !== null && hasSecret(api, documented.schema, []);
  });
}

function hasSecret(within: Api, schema: JsonSchema, seen: readonly unknown[]): boolean {
  if (seen.includes(schema.$ref ?? schema)) return false;
  const { properties = {} } = within.resolve(schema) as { properties?: Record<string, JsonSchema> };
  return Object.entries(properties).some(([name, property]) => {
    return name === 'secret' || hasSecret(within, property, [...seen, schema.$ref ?? schema]);
  });
}
