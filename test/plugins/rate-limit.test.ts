import t from 'tap';
import { RequestLimit } from '../../src/plugins/limits.js';
import { ADMIN_KEY, bearer, NOW, startFixture } from './http-fixture.js';

t.test('a window holds its quota for each key, and the next one begins anew', async (t) => {
  const limit = new RequestLimit(2, 60);
  const start = Date.parse('2026-01-01T00:00:15.500Z');
  t.same(limit.take('a', start), { allowed: true, remaining: 1, resetS: 45 });
  t.same(limit.take('a', start + 1000), { allowed: true, remaining: 0, resetS: 44 });
  t.same(limit.take('a', start + 2000), { allowed: false, remaining: 0, resetS: 43 });
  t.same(limit.take('b', start + 2000), { allowed: true, remaining: 1, resetS: 43 });
  t.same(limit.take('a', start + 44_499), { allowed: false, remaining: 0, resetS: 1 });
  t.same(limit.take('a', start + 44_500), { allowed: true, remaining: 1, resetS: 60 });
});

t.test('a clock that is set back does not lock anybody out', async (t) => {
  const limit = new RequestLimit(1, 60);
  const start = Date.parse('2026-01-01T10:00:00Z');
  limit.take('a', start);
  t.equal(limit.take('a', start).allowed, false);
  t.equal(limit.take('a', start - 3_600_000).allowed, true);
});

t.test('the memory of a window is bounded: keys beyond it share one quota', async (t) => {
  const limit = new RequestLimit(3, 60);
  for (let index = 0; index < 50_000; index++) limit.take(`key ${index}`, 0);
  const beyond = [1, 2, 3, 4].map((index) => limit.take(`another ${index}`, 0).allowed);
  t.same(beyond, [true, true, true, false]);
  t.equal(limit.take('key 7', 0).remaining, 1, 'who is known keeps a quota of their own');
});

t.test('every response tells of the limit, and what is over it is refused', async (t) => {
  let now = NOW;
  const app = await startFixture(t, { rateLimitPerMinute: 3, clock: () => now });
  const get = (url: string, headers: Record<string, string> = bearer) => app.inject({ url, headers });
  const first = await get('/v1/things');
  t.equal(first.headers['ratelimit-policy'], '"default";q=3;w=60');
  t.equal(first.headers.ratelimit, '"default";r=2;t=60');
  t.equal((await get('/v1/things?limit=x')).headers.ratelimit, '"default";r=1;t=60', 'a refusal counts too');
  t.equal((await get('/v1/things')).headers.ratelimit, '"default";r=0;t=60');
  now = new Date(NOW.getTime() + 20_000);
  const over = await get('/v1/things');
  t.equal(over.statusCode, 429);
  t.equal(over.json().code, 'rate_limited');
  t.equal(over.headers['retry-after'], '40');
  t.equal(over.headers.ratelimit, '"default";r=0;t=40');
  const admin = await get('/v1/things', { authorization: `Bearer ${ADMIN_KEY}` });
  t.equal(admin.statusCode, 403, 'another credential has a quota of its own');
  t.equal(admin.headers.ratelimit, '"default";r=2;t=40');
  now = new Date(NOW.getTime() + 60_000);
  t.equal((await get('/v1/things')).statusCode, 200);
});

t.test('without a credential the address is counted, once for each request', async (t) => {
  const app = await startFixture(t, { rateLimitPerMinute: 5 });
  const limits = [];
  for (const url of ['/nothing', '/v1/things', '/v1/things/%ff', '/health/live']) {
    limits.push((await app.inject({ url })).headers.ratelimit);
  }
  t.same(
    limits,
    [4, 3, 2, 1].map((left) => `"default";r=${left};t=60`),
  );
});

t.test('failed authentications are limited by address, and lock out nobody who has a key', async (t) => {
  const app = await startFixture(t, { rateLimitPerMinute: 1_000_000 });
  const guess = (authorization: string) => app.inject({ url: '/v1/things', headers: { authorization } });
  for (let index = 0; index < 300; index++) await guess(`Bearer pk_guess_${index}`);
  const refused = await guess('Bearer pk_guess_more');
  t.equal(refused.statusCode, 429);
  t.equal(refused.json().code, 'too_many_failed_authentications');
  t.ok(Number(refused.headers['retry-after']) > 0);
  t.equal((await guess(bearer.authorization)).statusCode, 200);
});

t.test('a limit of 0 is none', async (t) => {
  const app = await startFixture(t, { rateLimitPerMinute: 0 });
  const { headers, statusCode } = await app.inject({ url: '/v1/things', headers: bearer });
  t.equal(statusCode, 200);
  t.notOk(headers.ratelimit);
});
