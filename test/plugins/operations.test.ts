import t from 'tap';
import Type from 'typebox';
import { responses } from '../../src/api/responses.js';
import { type App, closed } from '../../src/api/schema.js';
import type { Database } from '../../src/db/database.js';
import { bearer, startFixture } from './http-fixture.js';

t.test('a process is alive whatever its database does, and ready only with it', async (t) => {
  let answer: () => Promise<unknown> = async () => [];
  const app = await startFixture(t, {
    find: ((work: never) => answer().then(() => work)) as Database['find'],
  });
  const ask = async (path: string) => {
    const response = await app.inject({ url: `/health/${path}` });
    return [response.statusCode, response.json().status];
  };
  t.same(await ask('live'), [200, 'ok']);
  t.same(await ask('ready'), [200, 'ok']);
  answer = () => Promise.reject(new Error('connection terminated'));
  t.same(await ask('live'), [200, 'ok']);
  t.same(await ask('ready'), [503, 503]);
  const failed = await app.inject({ url: '/health/ready' });
  t.equal(failed.headers['content-type'], 'application/problem+json');
  t.ok(failed.headers['retry-after']);
  answer = async () => [];
  t.same(await ask('ready'), [200, 'ok'], 'it recovers by itself');
  app.health.drain();
  t.same(await ask('ready'), [503, 503], 'while it stops, others are to be asked');
  t.same(await ask('live'), [200, 'ok']);
});

t.test('a database that hangs is given a second, and probes do not add to its load', async (t) => {
  let asked = 0;
  const find = (() => {
    asked += 1;
    return new Promise(() => undefined);
  }) as Database['find'];
  const app = await startFixture(t, { find });
  const probes = await Promise.all([1, 2, 3].map(() => app.inject({ url: '/health/ready' })));
  t.same(
    probes.map(({ statusCode }) => statusCode),
    [503, 503, 503],
  );
  t.equal(asked, 1);
});

t.test('requests are measured by route and never by path', async (t) => {
  const app = await startFixture(t);
  const refs = ['ext:shop:ada@example.com', '0190aaaa-0000-7000-8000-000000000000'];
  for (const ref of refs) await app.inject({ url: `/v1/things/${ref}`, headers: bearer });
  await app.inject({ url: '/v1/things/8812', headers: bearer });
  await app.inject({ url: '/nothing/ada@example.com' });
  const { body, headers } = await app.inject({ url: '/metrics' });
  t.match(headers['content-type'], 'text/plain');
  const count = (labels: string) =>
    body.match(new RegExp(`^perennial_http_request_duration_seconds_count\\{${labels}\\} (\\d+)$`, 'm'))?.[1];
  t.equal(count('method="GET",route="/v1/things/:ref",status="200"'), '2');
  t.equal(count('method="GET",route="/v1/things/:ref",status="400"'), '1');
  t.equal(count('method="GET",route="none",status="404"'), '1');
  t.match(body, /_bucket\{le="\+Inf",method="GET",route="\/v1\/things\/:ref",status="200"\} 2/);
  t.match(body, 'perennial_database_connections{state="busy"} 2');
  t.match(body, 'process_resident_memory_bytes');
  t.notMatch(body, 'example.com');
});

t.test('buckets of durations hold what the smaller ones hold', async (t) => {
  const app = await startFixture(t);
  for (let index = 0; index < 5; index++) await app.inject({ url: '/health/live' });
  const { body } = await app.inject({ url: '/metrics' });
  const buckets = [
    ...body.matchAll(/_bucket\{le="([^"]+)",method="GET",route="\/health\/live"[^}]*\} (\d+)/g),
  ];
  const counts = buckets.map(([, , value]) => Number(value));
  t.equal(buckets.length, 14);
  t.same(
    counts,
    [...counts].sort((a, b) => a - b),
  );
  t.equal(counts.at(-1), 5);
});

t.test('where answers are checked, one that its schema does not allow fails', async (t) => {
  const leaky = (app: App) => {
    app.get(
      '/v1/leaky',
      {
        config: { scope: 'customers:read' },
        schema: {
          operationId: 'leak',
          tags: ['Tests'],
          summary: 'Leak',
          response: responses({ 200: closed({ id: Type.String({ maxLength: 5 }) }) }),
        },
      },
      () => ({ id: 'a', secret: 'x' }),
    );
  };
  const unchecked = await startFixture(t, { modules: [leaky] });
  t.same((await unchecked.inject({ url: '/v1/leaky', headers: bearer })).json(), { id: 'a', secret: 'x' });
  const checked = await startFixture(t, { modules: [leaky], checkResponses: true });
  const response = await checked.inject({ url: '/v1/leaky', headers: bearer });
  t.equal(response.statusCode, 500);
  t.notMatch(response.body, 'secret');
});

t.test(
  'a request that went well is a debug line, a refusal an info line, without what the request held',
  async (t) => {
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const app = await startFixture(t, { log: { level: 'debug', destination } });
    await app.inject({
      url: '/v1/things/ext:shop:ada@example.com',
      headers: { ...bearer, cookie: 'session=1' },
    });
    await app.inject({ url: '/v1/things?q=ada@example.com&limit=x', headers: bearer });
    const entries = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'request');
    t.match(entries, [
      {
        level: 'debug',
        method: 'GET',
        route: '/v1/things/:ref',
        status: 200,
        requestId: String,
        durationMs: Number,
      },
      { level: 'info', method: 'GET', route: '/v1/things', status: 400 },
    ]);
    t.notMatch(lines.join(''), /ada@|pk_reader|session=/);
  },
);
