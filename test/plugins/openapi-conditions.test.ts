// The document of the whole application: what it promises of conditional requests.

import t from 'tap';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { openDatabase } from '../../src/db/database.js';
import { createLogger } from '../../src/logger.js';
import { buildServices } from '../../src/services.js';

type Json = { [key: string]: Json | undefined } & Json[];

interface Teardown {
  teardown(work: () => unknown): void;
}

async function documentOf(t: Teardown): Promise<Json> {
  const logger = createLogger({ level: 'silent' });
  const clock = () => new Date(0);
  // Nothing is asked of it, so it never connects.
  const database = openDatabase({ url: 'postgres://nobody@localhost/none', onError: () => undefined });
  const config = readConfig({});
  const services = buildServices({ database, clock, config, logger });
  const app = await buildApp({ config, database, clock, logger, services });
  t.teardown(async () => {
    await app.close();
    await database.close();
  });
  return app.openapi() as Json;
}

t.test('a read of one resource takes If-None-Match, and a change of one If-Match', async (t) => {
  const { paths = {}, components } = await documentOf(t);
  const seen = { reads: 0, changes: 0 };
  for (const [path, item] of Object.entries<Json | undefined>(paths)) {
    const get = item?.get;
    const reference = get?.responses?.['200']?.content?.['application/json']?.schema?.$ref;
    const resource = components?.schemas?.[String(reference).split('/').at(-1) ?? ''];
    if (resource?.properties?.version !== undefined) {
      seen.reads += 1;
      t.ok(get?.responses?.['304'], `GET ${path}`);
      t.ok(takes(get, 'IfNoneMatch'), `GET ${path}`);
    }
    for (const method of ['put', 'patch', 'delete']) {
      const operation = item?.[method];
      if (operation === undefined) continue;
      seen.changes += 1;
      t.ok(operation.responses?.['412'], `${method} ${path}`);
      t.ok(takes(operation, 'IfMatch'), `${method} ${path}`);
    }
  }
  t.ok(seen.reads >= 8 && seen.changes >= 9, 'there are some to look at');
});

function takes(operation: Json | undefined, condition: string): boolean {
  const parameters: Json[] = operation?.parameters ?? [];
  return parameters.some(({ $ref }) => String($ref) === `#/components/parameters/${condition}`);
}
