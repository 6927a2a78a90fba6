// Whatever is sent to a route, the answer is one that the document promises: requests drawn from the route's
// own schemas, good ones and spoiled ones. A run is repeated by FUZZ_SEED, which each run prints.

import fc from 'fast-check';
import t from 'tap';
import { ADMIN_KEY, startService } from './helpers/service.js';
import { type Asked, requestsTo, withHeaders } from './routes/asking.js';
import { faultsIn } from './routes/judging.js';
import { apiOf, type Operation } from './routes/operations.js';
import { recipeOf, urlOf } from './routes/recipes.js';
import { furnish } from './routes/things.js';
import { watch } from './routes/watched.js';

const REQUESTS_EACH = Number(process.env.FUZZ_REQUESTS ?? 80);
const BODY_BYTES_MAX = 262_144;
const FAULTS_SHOWN = 5;

const seed = Number(process.env.FUZZ_SEED ?? Math.trunc(Math.random() * 2 ** 31));
t.comment(`FUZZ_SEED=${seed}`);
t.setTimeout(240_000);

const shared = await startService(t, { environment: { BODY_LIMIT_BYTES: String(BODY_BYTES_MAX) } });
const watching = watch(shared.database);
const api = apiOf(shared.app);
const things = await furnish(t, { service: shared, name: 'lisbon', number: 1, policies: 3 });
// The administrator's routes reach every tenant: what is suspended there must not be the one that is asked.
const bystander = await shared.openTenant('bystander');
const sizes = { requests: 0, answered: 0, refused: 0 };

for (const operation of api.operations) {
  t.test(operation.id, async (t) => {
    const target = operation.scope === 'admin' ? { ...things, tenantId: bystander.id } : things;
    const requests = requestsTo({ api, operation, things: target, now: shared.clock.now() });
    const faults: string[] = [];
    for (const asked of [
      ...withHeaders(operation, target),
      ...fc.sample(requests, { seed, numRuns: REQUESTS_EACH }),
    ]) {
      for (const fault of await judge(operation, asked))
        faults.push(`${fault}\n  ${describe(operation, asked)}`);
    }
    t.same(faults.slice(0, FAULTS_SHOWN), [], `FUZZ_SEED=${seed}`);
  });
}

t.test('a body that is larger than is accepted is a 413', async (t) => {
  const body = Buffer.alloc(BODY_BYTES_MAX + 1, ' ');
  for (const operation of api.operations.filter((one) => one.body !== null)) {
    const [call] = recipeOf(operation)(things);
    const answer = await send(operation, { url: urlOf(operation, call), headers: {}, body });
    t.equal(answer.statusCode, 413, operation.id);
    t.same(faultsIn({ api, operation, answer, sent: undefined }), []);
  }
});

t.test('the ledger stands up to all of it', async (t) => {
  shared.clock.advance(400 * 86_400_000);
  const now = shared.clock.now();
  const { advanced, setAside, more } = await shared.services.transitions.advanceDue(now);
  t.ok(advanced > 0, 'somebody was due');
  t.same({ setAside, more }, { setAside: 0, more: false }, 'and nobody’s advance failed');
  let walked = 0;
  for (let step = 1; step > 0; walked += step)
    step = (await shared.services.policies.recomputeDue(now)).customers;
  t.ok(walked > 0, 'and everybody was decided anew by all those policies');
});

t.test('every event that came of it fits the schema that its type is documented with', async (t) => {
  const faults: string[] = [];
  let count = 0;
  let after = '';
  do {
    const page = (await shared.inject('GET', `/v1/events?limit=200${after}`)).json();
    for (const event of page.data as { type: string }[]) {
      const schema = api.webhooks.get(event.type);
      const fault = schema === undefined ? 'has no schema' : api.fault(schema, event);
      if (fault !== undefined) faults.push(`${event.type} ${fault}: ${JSON.stringify(event)}`);
      count += 1;
    }
    after = page.nextCursor === null ? '' : `&after=${page.nextCursor}`;
  } while (after !== '');
  t.same(faults.slice(0, FAULTS_SHOWN), [], `FUZZ_SEED=${seed}`);
  t.ok(count > 100, `${count} events`);
});

t.test('the requests were neither all good nor all bad', async (t) => {
  t.comment(JSON.stringify(sizes));
  t.ok(sizes.answered > sizes.requests / 10 && sizes.refused > sizes.requests / 10);
});

async function judge(operation: Operation, asked: Asked): Promise<string[]> {
  shared.clock.advance(1_000);
  const { commits } = watching;
  const answer = await send(operation, asked);
  sizes.requests += 1;
  if (answer.statusCode < 400) sizes.answered += 1;
  else sizes.refused += 1;
  const faults = faultsIn({ api, operation, answer, sent: sentValueOf(asked.body) });
  if (answer.statusCode >= 400 && watching.commits > commits)
    faults.push(`${answer.statusCode} and yet it did something`);
  return faults;
}

function send(operation: Operation, { url, body, headers }: Asked) {
  const key = operation.scope === 'admin' ? ADMIN_KEY : shared.key;
  return shared.inject(operation.method, url, { body, headers, key });
}

function sentValueOf(body: unknown): unknown {
  if (typeof body !== 'string' && !Buffer.isBuffer(body))
    return body === undefined ? undefined : JSON.parse(JSON.stringify(body));
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function describe({ method }: Operation, { url, body, headers }: Asked): string {
  const text =
    typeof body === 'string' || Buffer.isBuffer(body) ? body.toString() : (JSON.stringify(body) ?? '');
  return `${method} ${url.slice(0, 400)} ${JSON.stringify(headers)} ${text.slice(0, 1_500)}`;
}
