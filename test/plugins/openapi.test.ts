import t from 'tap';
import Type from 'typebox';
import { Empty, responses } from '../../src/api/responses.js';
import { type App, closed, ref } from '../../src/api/schema.js';
import { text, Uuid } from '../../src/api/shapes.js';
import { echoRoutes, startFixture } from './http-fixture.js';

type Json = { [key: string]: Json } & Json[];

const webhooks = [
  {
    type: 'customer.churned',
    summary: 'A customer has churned',
    schema: closed({ id: Type.Unsafe({ $ref: 'Uuid#' }) }),
    example: { id: '0190aaaa-0000-7000-8000-000000000000' },
  },
];

function everyObject(value: unknown, visit: (object: Record<string, unknown>) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) visit(value as Record<string, unknown>);
  for (const part of Object.values(value)) everyObject(part, visit);
}

t.test('the document that is served is OpenAPI 3.1, and every reference in it leads somewhere', async (t) => {
  const app = await startFixture(t, { webhooks });
  const response = await app.inject({ url: '/openapi.json' });
  t.match(response.headers['content-type'], 'application/json');
  const document = response.json();
  t.equal(document.openapi, '3.1.0');
  t.same(document, JSON.parse(JSON.stringify(app.openapi())));
  let references = 0;
  everyObject(document, (object) => {
    t.notOk('$id' in object, 'ids of ours are gone');
    if (typeof object.$ref !== 'string') return;
    references += 1;
    const path = object.$ref.slice(2).split('/');
    t.ok(
      object.$ref.startsWith('#/components/') && path.reduce((at, key) => at?.[key], document),
      object.$ref,
    );
  });
  t.ok(references > 30);
  t.same(
    Object.keys(document.paths),
    [
      '/v1/claims',
      '/v1/secret-claims',
      '/v1/things',
      '/v1/things/{ref}',
      '/v1/things/{ref}/close',
      '/v1/versioned',
    ],
    'in order, and without what serves the operator',
  );
});

t.test(
  'schemas stand in it as they are checked: once each, recursive ones and descriptions included',
  async (t) => {
    const { components, paths } = (await startFixture(t)).openapi() as Json;
    t.same(paths?.['/v1/things']?.post?.requestBody?.content, {
      'application/json': { schema: { $ref: '#/components/schemas/TestDraft' } },
    });
    t.same(components?.schemas?.TestDraft?.properties?.lines?.items, {
      $ref: '#/components/schemas/TestLine',
    });
    t.same(components?.schemas?.TestShape?.anyOf?.[1]?.properties?.of?.items, {
      $ref: '#/components/schemas/TestShape',
    });
    t.ok(
      components?.schemas?.TestDraft?.properties?.attributes?.patternProperties,
      'nothing is rewritten for 3.0',
    );
    t.notOk(components?.schemas?.OrderRef, 'what nothing refers to is left out');
  },
);

t.test('what a schema says beside a reference, of constants and of names by pattern is kept', async (t) => {
  const body = closed({
    id: ref(Uuid, { description: 'Whose it is.' }),
    kind: Type.Literal('one'),
    notes: Type.Record(Type.String({ pattern: '^[a-z]+$' }), text({ max: 5 })),
  });
  const querystring = closed({ of: ref(Uuid, { description: 'Whose they are.' }) });
  const params = closed({ named: text({ max: 5 }) });
  const route = (app: App) => {
    const schema = {
      ...{ operationId: 'keep', tags: ['Tests'], summary: 'Keep', params, querystring, body },
      response: responses({ 200: body }),
    };
    app.put('/v1/kept/:named', { config: { scope: 'customers:write' }, schema }, () => {
      throw new Error('nobody calls it');
    });
  };
  const { paths } = (await startFixture(t, { modules: [route] })).openapi() as Json;
  const operation = paths?.['/v1/kept/{named}']?.put;
  const properties = {
    id: { $ref: '#/components/schemas/Uuid', description: 'Whose it is.' },
    kind: { type: 'string', const: 'one' },
    notes: {
      type: 'object',
      patternProperties: { '^[a-z]+$': text({ max: 5 }) },
    },
  };
  const expected = { ...body, properties };
  t.same(operation?.requestBody?.content?.['application/json']?.schema, expected);
  t.same(operation?.responses?.['200']?.content?.['application/json']?.schema, expected);
  t.same(operation?.parameters, [
    { in: 'path', name: 'named', required: true, description: 'named', schema: text({ max: 5 }) },
    {
      ...{ in: 'query', name: 'of', required: true, description: 'Whose they are.' },
      schema: { $ref: '#/components/schemas/Uuid' },
    },
  ]);
});

t.test('an operation lists what it takes and all it can answer', async (t) => {
  const removing = (app: App) => {
    const schema = {
      ...{ operationId: 'remove', tags: ['Tests'], summary: 'Remove' },
      response: responses({ 204: Empty }, 412),
    };
    app.delete('/v1/versioned', { config: { scope: 'customers:write' }, schema }, (_request, reply) => {
      reply.code(204).send();
    });
  };
  const { paths } = (await startFixture(t, { modules: [echoRoutes, removing] })).openapi() as Json;
  const statuses = (path: string, method: string) => Object.keys(paths?.[path]?.[method]?.responses ?? {});
  t.same(statuses('/v1/things', 'get'), ['200', '400', '401', '403', '429', '500', '503']);
  t.same(statuses('/v1/things/{ref}', 'get'), ['200', '400', '401', '403', '404', '429', '500', '503']);
  t.same(statuses('/v1/things', 'post'), [
    ...['201', '400', '401', '403', '409', '413', '415', '422', '429', '500', '503'],
  ]);
  t.same(statuses('/v1/versioned', 'get'), ['200', '304', '400', '401', '403', '429', '500', '503']);
  t.same(statuses('/v1/versioned', 'delete'), [
    ...['204', '400', '401', '403', '412', '413', '415', '429', '500', '503'],
  ]);
  const tagged = (method: string, status: string) =>
    paths?.['/v1/versioned']?.[method]?.responses?.[status]?.headers?.ETag !== undefined;
  t.same([tagged('get', '200'), tagged('get', '304'), tagged('delete', '204')], [true, true, false]);
  const names = (path: string, method: string) =>
    (paths?.[path]?.[method]?.parameters ?? []).map((parameter) => parameter.name ?? parameter.$ref);
  t.same(names('/v1/things', 'get'), ['limit', 'cursor', 'open', 'tag', 'q']);
  t.same(names('/v1/things/{ref}', 'get'), ['ref']);
  t.same(names('/v1/things', 'post'), ['#/components/parameters/IdempotencyKey']);
  t.same(names('/v1/versioned', 'get'), ['#/components/parameters/IfNoneMatch']);
  t.same(names('/v1/versioned', 'patch'), ['#/components/parameters/IfMatch']);
  t.match(paths?.['/v1/things']?.get?.description, /Needs the scope `customers:read`/);
  t.same(Object.keys(paths?.['/v1/versioned']?.patch?.requestBody?.content ?? {}), [
    ...['application/merge-patch+json', 'application/json'],
  ]);
});

t.test('webhooks stand in their own section', async (t) => {
  const document = (await startFixture(t, { webhooks })).openapi() as Json;
  const post = document.webhooks?.['customer.churned']?.post;
  t.equal(post?.operationId, 'on_customer_churned');
  t.same(post?.requestBody?.content?.['application/json'], {
    schema: {
      type: 'object',
      required: ['id'],
      properties: { id: { $ref: '#/components/schemas/Uuid' } },
      additionalProperties: false,
    },
    example: { id: '0190aaaa-0000-7000-8000-000000000000' },
  });
  t.ok(document.tags?.some((tag) => (tag as Json).name === ('Webhooks' as never)));
});

t.test('a hole in the document stops the start', async (t) => {
  const route = (schema: object) => (app: App) => {
    app.get('/v1/hole', { config: { scope: 'customers:read' }, schema }, () => 'x');
  };
  const complete = {
    operationId: 'hole',
    tags: ['Tests'],
    summary: 'Hole',
    response: responses({ 200: Type.Unknown() }),
  };
  for (const missing of ['operationId', 'tags', 'summary', 'response']) {
    const schema = { ...complete, [missing]: undefined };
    await t.rejects(
      startFixture(t, { modules: [route(schema)] }),
      /GET \/v1\/hole needs an operationId/,
      missing,
    );
  }
  const twice = (app: App) => {
    for (const url of ['/v1/a', '/v1/b'])
      app.get(url, { config: { scope: 'customers:read' }, schema: complete }, () => 'x');
  };
  const app = await startFixture(t, { modules: [twice] });
  t.throws(() => app.openapi(), /two routes have the operationId 'hole'/);
});

t.test('the docs page needs nothing from elsewhere', async (t) => {
  const app = await startFixture(t);
  const page = await app.inject({ url: '/docs' });
  t.equal(page.statusCode, 200);
  t.match(page.headers['content-type'], 'text/html');
  t.match(page.headers['content-security-policy'], "default-src 'none'");
  t.notMatch(page.body, /https?:/);
  const assets = [...page.body.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, url]) => url ?? '');
  t.equal(assets.length, 3);
  for (const url of assets) {
    const asset = await app.inject({ url });
    t.equal(asset.statusCode, 200, url);
    t.match(asset.headers['content-type'], url.endsWith('.css') ? 'text/css' : 'text/javascript', url);
    t.ok(asset.body.length > 100, url);
  }
  t.match((await app.inject({ url: '/docs/start.js' })).body, "url: '/openapi.json'");
});
