import t from 'tap';
import Type from 'typebox';
import { Empty, responses } from '../../src/api/responses.js';
import { type App, closed } from '../../src/api/schema.js';
import { IdempotentReplay } from '../../src/db/idempotency.js';
import {
  ConflictError,
  ERROR_KINDS,
  ForbiddenError,
  InvalidError,
  NotFoundError,
  PerennialError,
  UnavailableError,
} from '../../src/errors.js';
import { bearer, startFixture } from './http-fixture.js';

/** A route that fails with whatever a test has put there. */
function failing(failure: { error: unknown }) {
  return (app: App) => {
    app.get(
      '/v1/failing/:ref',
      {
        config: { scope: 'customers:read' },
        schema: {
          operationId: 'fail',
          tags: ['Tests'],
          summary: 'Fail',
          params: closed({ ref: Type.String({ maxLength: 100 }) }),
          response: responses({ 200: Type.Unknown(), 204: Empty }),
        },
      },
      async () => {
        throw failure.error;
      },
    );
  };
}

t.test('every kind of failure has its status, and reads as a problem', async (t) => {
  const failure = { error: new Error() as unknown };
  const app = await startFixture(t, { modules: [failing(failure)] });
  const statuses = {
    ...{ invalid: 400, unauthenticated: 401, forbidden: 403, not_found: 404, conflict: 409 },
    ...{
      gone: 410,
      precondition_failed: 412,
      too_large: 413,
      unprocessable: 422,
      rate_limited: 429,
      unavailable: 503,
    },
  };
  for (const kind of ERROR_KINDS) {
    failure.error = new PerennialError(kind, 'some_code', 'Some detail.');
    const response = await app.inject({
      url: '/v1/failing/a',
      headers: { ...bearer, 'x-request-id': 'req-1' },
    });
    t.equal(response.statusCode, statuses[kind], kind);
    t.equal(response.headers['content-type'], 'application/problem+json', kind);
    const { title, ...problem } = response.json();
    t.type(title, 'string');
    t.same(
      problem,
      {
        type: 'urn:perennial:problem:some_code',
        status: statuses[kind],
        detail: 'Some detail.',
        code: 'some_code',
        requestId: 'req-1',
      },
      kind,
    );
  }
});

t.test('faults and members stand in the problem, and cannot change what it says', async (t) => {
  const faults = [{ pointer: '/lines/0', detail: 'is wrong' }];
  const members = { customerId: 'c-1', status: 200, code: 'other', requestId: 'forged' };
  const failure = { error: new ConflictError('taken', 'Taken.', { faults, members }) };
  const app = await startFixture(t, { modules: [failing(failure)] });
  const response = await app.inject({
    url: '/v1/failing/a',
    headers: { ...bearer, 'x-request-id': 'req-1' },
  });
  t.equal(response.statusCode, 409);
  t.match(response.json(), {
    customerId: 'c-1',
    status: 409,
    code: 'taken',
    requestId: 'req-1',
    errors: faults,
  });
});

t.test('headers that a status asks for', async (t) => {
  const failure = { error: new Error() as unknown };
  const app = await startFixture(t, { modules: [failing(failure)] });
  const headers = async (error: unknown, sent: Record<string, string> = bearer) => {
    failure.error = error;
    return (await app.inject({ url: '/v1/failing/a', headers: sent })).headers;
  };
  t.equal((await headers(null, {}))['www-authenticate'], 'Bearer');
  t.equal(
    (await headers(null, { authorization: 'Bearer pk_wrong' }))['www-authenticate'],
    'Bearer error="invalid_token"',
  );
  t.equal((await headers(new UnavailableError('Away.')))['retry-after'], '2');
  t.equal((await headers(new UnavailableError('Away.', { retryAfterS: 9 })))['retry-after'], '9');
  t.equal((await headers(new ConflictError('busy', 'Busy.', { retryAfterS: 1 })))['retry-after'], '1');
  for (const error of [
    new NotFoundError('none', 'None.'),
    new ForbiddenError('no', 'No.'),
    new InvalidError('x', 'X.'),
  ]) {
    const given = await headers(error);
    t.notOk(given['retry-after']);
    t.notOk(given['www-authenticate']);
  }
});

t.test(
  'what is not known is a 500 that tells nothing, and a log line that tells everything but the person',
  async (t) => {
    const lines: string[] = [];
    const log = { level: 'info', destination: { write: (line: string) => void lines.push(line) } };
    const secret = 'ada@example.com';
    const error = Object.assign(new Error('duplicate key'), {
      code: '23505',
      constraint: 'customers_email',
      detail: `Key (email)=(${secret}) already exists.`,
      cause: Object.assign(new Error(`invalid input syntax for type uuid: "${secret}"`), { code: '22P02' }),
    });
    const app = await startFixture(t, { modules: [failing({ error })], log });
    const response = await app.inject({
      url: `/v1/failing/${secret}?q=1`,
      headers: { ...bearer, 'x-request-id': 'req-7' },
    });
    t.equal(response.statusCode, 400, 'the query is refused first');
    const failed = await app.inject({
      url: `/v1/failing/${secret}`,
      headers: { ...bearer, 'x-request-id': 'req-8' },
    });
    t.equal(failed.statusCode, 500);
    t.same(failed.json(), {
      type: 'urn:perennial:problem:internal_error',
      title: 'Internal Server Error',
      status: 500,
      detail: 'Something went wrong on our side. It has been logged.',
      code: 'internal_error',
      requestId: 'req-8',
    });
    const text = lines.join('');
    t.match(text, '"requestId":"req-8"');
    t.match(text, 'duplicate key');
    t.match(text, 'customers_email');
    t.match(text, '/v1/failing/:ref');
    t.notMatch(text, secret);
    t.notMatch(text, 'pk_reader');
  },
);

t.test('a thrown thing that is no error is a 500 as well', async (t) => {
  for (const thrown of [undefined, null, 'text', 7, { statusCode: 404 }]) {
    const app = await startFixture(t, { modules: [failing({ error: thrown })] });
    const response = await app.inject({ url: '/v1/failing/a', headers: bearer });
    t.equal(response.statusCode, 500, String(thrown));
    t.equal(response.json().code, 'internal_error', String(thrown));
  }
});

t.test('a database that is away is a 503 that asks to come again', async (t) => {
  const errors = [
    Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
    Object.assign(new Error('terminating connection'), { code: '57P01' }),
    new Error('Connection terminated unexpectedly'),
  ];
  for (const error of errors) {
    const app = await startFixture(t, { modules: [failing({ error })] });
    const response = await app.inject({ url: '/v1/failing/a', headers: bearer });
    t.equal(response.statusCode, 503, error.message);
    t.equal(response.headers['retry-after'], '2');
    t.notMatch(response.body, 'ECONNREFUSED');
  }
});

t.test('an answer that was given before is given again, to the byte', async (t) => {
  const body = '{"id":"o-1","note":"Zoë","b":1,"a":2}';
  const app = await startFixture(t, { modules: [failing({ error: new IdempotentReplay(201, body) })] });
  const response = await app.inject({ url: '/v1/failing/a', headers: bearer });
  t.equal(response.statusCode, 201);
  t.equal(response.body, body);
  t.equal(response.headers['idempotency-replayed'], 'true');
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8');
  const empty = await startFixture(t, { modules: [failing({ error: new IdempotentReplay(204, 'null') })] });
  t.equal((await empty.inject({ url: '/v1/failing/a', headers: bearer })).body, '');
});

t.test('addresses and methods that nobody serves', async (t) => {
  const app = await startFixture(t);
  for (const url of ['/', '/v1', '/v1/nothing', '/V1/things', '/v1//things', '/v1/things/a/b/c']) {
    const response = await app.inject({ url, headers: bearer });
    t.equal(response.statusCode, 404, url);
    t.equal(response.json().code, 'route_not_found', url);
  }
  for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
    const response = await app.inject({
      method,
      url: '/v1/things',
      payload: method === 'OPTIONS' ? undefined : 'x',
    });
    t.equal(response.statusCode, 405, method);
    t.equal(response.headers.allow, 'GET, HEAD, POST', method);
    t.equal(response.json().code, 'method_not_allowed', method);
  }
  const head = await app.inject({ method: 'HEAD', url: '/v1/things', headers: bearer });
  t.equal(head.statusCode, 200);
});
